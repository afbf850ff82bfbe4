import '../no-telemetry.ts';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../errors.ts';
import type { DataType, FusionSettings, NamedTensor, TensorData, TensorSpec } from '../models/types.ts';
import { monotonicNs } from '../units.ts';
import { InferenceError } from './inference-error.ts';
import type { EngineSettings } from './types.ts';

/** onnxruntime's names of the settings. Only the CPU provider is used. */
export function sessionOptions(
  settings: EngineSettings,
  fusions: FusionSettings = {},
): InferenceSession.SessionOptions {
  const spinning = settings.spinning ? '1' : '0';
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: settings.intraOpThreads,
    interOpNumThreads: settings.interOpThreads,
    executionMode: settings.executionMode,
    graphOptimizationLevel: settings.graphOptimization,
    extra: { session: { intra_op: { allow_spinning: spinning }, inter_op: { allow_spinning: spinning } }, ...fusions },
  };
}

/** Inputs or outputs as the session reports them. A dimension without a name in the file is called `dim{axis}`. */
export function tensorSpecs(metadata: readonly InferenceSession.ValueMetadata[]): TensorSpec[] {
  return metadata.map((value) => {
    if (!value.isTensor)
      throw new Error(`"${value.name}" is a sequence, a map or optional; only tensors can be served`);
    if (!SERVED_TYPES.has(value.type))
      throw new Error(`"${value.name}" holds ${value.type}, a type that cannot be served`);
    const shape = value.shape.map((dim, axis) => (dim === '' || dim === undefined ? `dim${axis}` : dim));
    return { name: value.name, type: value.type as DataType, shape };
  });
}

const SERVED_TYPES: ReadonlySet<string> = new Set<DataType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
]);

/**
 * Lays an onnxruntime tensor over the data, without a copy.
 * @throws InferenceError for text that onnxruntime would cut short without a word
 */
export function toRuntimeTensor({ name, type, shape, data }: NamedTensor): Tensor {
  if (Array.isArray(data) && data.some((text) => text.includes('\0'))) {
    throw new InferenceError(
      'inputs',
      `input "${name}" has a NUL character in a string, which the runtime cannot take`,
    );
  }
  return new Tensor(type, data as Tensor.DataTypeMap[typeof type], shape);
}

/** A run with the moments at which the runtime turned to it and was done, on the machine's monotonic clock. */
export interface SessionRun {
  readonly outputs: readonly NamedTensor[];
  readonly startedNs: number;
  readonly endedNs: number;
}

/**
 * Runs a session on this thread, which does nothing else meanwhile.
 * @param outputs - names of those wanted; all where absent
 * @throws InferenceError where the runtime refuses the inputs or fails on them
 */
export async function runSession(
  session: InferenceSession,
  inputs: readonly NamedTensor[],
  outputs: readonly string[] | undefined,
): Promise<SessionRun> {
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toRuntimeTensor(input)]));
  let startedNs = 0;
  // The session, too, puts its run off with setImmediate, and these are called in turn: this one right before the run, whatever else this thread does until then.
  setImmediate(() => {
    startedNs = monotonicNs();
  });
  try {
    const fetched = outputs === undefined ? await session.run(feeds) : await session.run(feeds, outputs);
    const endedNs = monotonicNs();
    return {
      outputs: Object.entries(fetched).map(([name, tensor]) => fromRuntimeTensor(name, tensor)),
      startedNs,
      endedNs,
    };
  } catch (error) {
    throw new InferenceError(kindOf(error), messageOf(error));
  }
}

/** onnxruntime-node gives no error code, only text. These are its checks of the inputs before the graph runs. */
function kindOf(error: unknown): 'inputs' | 'runtime' {
  return /^(?:Got invalid dimensions|Invalid rank|Unexpected input data type|Invalid [Ff]eed)/.test(messageOf(error))
    ? 'inputs'
    : 'runtime';
}

export function fromRuntimeTensor(name: string, tensor: Tensor): NamedTensor {
  return { name, type: tensor.type as DataType, shape: tensor.dims, data: plainData(tensor.data) };
}

/** float16 comes as a Float16Array where the engine has one; its bits are what a NamedTensor holds. */
function plainData(data: Tensor['data']): TensorData {
  if (Array.isArray(data) || data.constructor.name !== 'Float16Array') return data as TensorData;
  const { buffer, byteOffset, length } = data as unknown as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length);
}
