import {
  decodeGrpcInferRequest,
  encodeGrpcInferResponse,
  type ModelInferRequestMessage,
  type ModelInferResponseMessage,
} from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import { monotonicNs, NS_PER_MS } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { deadlineOf, serverTiming } from '../infer-route.ts';
import { versionOf } from '../model/index.ts';
import type { LoadedModel } from '../model/types.ts';
import type { ModelRepository } from '../repository/index.ts';

/** A request for an inference as it came. */
export interface ReceivedInfer {
  readonly message: ModelInferRequestMessage;
  /** When the message was there whole, before it was decoded. */
  readonly completeNs: number;
  /** Memory of the pool that the message lies in; undefined where it lies elsewhere. */
  readonly memory?: ArrayBuffer | undefined;
  /** Of the call, on the machine's monotonic clock; undefined where it has none. A request still waiting then is never run. */
  readonly deadlineNs: number | undefined;
}

export interface InferAnswer {
  readonly message: ModelInferResponseMessage;
  /** What REST has in its header `server-timing`; decoding counts from the last byte of the message as it does there. */
  readonly serverTiming: string;
}

/**
 * Answers one ModelInfer.
 * @throws KserveError where the request was refused or could not be answered
 */
export async function answerInfer(
  repository: ModelRepository,
  received: ReceivedInfer,
  pool: BufferPool,
): Promise<InferAnswer> {
  const { model_name: name, model_version: version } = received.message;
  return repository.use(name, asVersion(version), (model) => infer(model, received, pool));
}

/** An empty version leaves the choice to the server. */
export function asVersion(version: string): string | undefined {
  return version === '' ? undefined : version;
}

async function infer(
  model: LoadedModel,
  { message, completeNs, memory, deadlineNs = Number.POSITIVE_INFINITY }: ReceivedInfer,
  pool: BufferPool,
): Promise<InferAnswer> {
  const own = new Set<ArrayBuffer>(memory === undefined ? [] : [memory]);
  const { id, parameters, tensors, outputs, binaryOutputs } = decodeGrpcInferRequest(
    message,
    model.signature,
    (size) => {
      const buffer = pool.take(size);
      own.add(buffer);
      return buffer;
    },
  );
  const decodeMs = (monotonicNs() - completeNs) / NS_PER_MS;
  // Other small memory may be of the pool that Node shares with all and that cannot move to another thread; copying so little costs nothing.
  const lend = buffersOf(tensors).filter((buffer) => own.has(buffer) || buffer.byteLength > Buffer.poolSize);
  if (memory !== undefined && !lend.includes(memory)) pool.give(memory);
  const earliestNs = Math.min(
    deadlineOf(parameters, completeNs, model.settings) ?? Number.POSITIVE_INFINITY,
    deadlineNs,
  );
  const inference = await model.infer({
    ...{ tensors, lend, outputs },
    deadlineNs: Number.isFinite(earliestNs) ? earliestNs : undefined,
  });
  for (const buffer of inference.returned) pool.give(buffer);
  const response = encodeGrpcInferResponse({
    modelName: model.settings.name,
    modelVersion: versionOf(model.settings),
    id,
    outputs: inference.outputs,
    binaryOutputs,
  });
  return { message: response, serverTiming: serverTiming(decodeMs, inference) };
}

function buffersOf(tensors: readonly NamedTensor[]): ArrayBuffer[] {
  const buffers = tensors.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer as ArrayBuffer]));
  return [...new Set(buffers)];
}
