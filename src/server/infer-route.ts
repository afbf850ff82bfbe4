import {
  decodeInferRequest,
  encodeInferResponse,
  type Headers,
  KserveError,
  type Parameters,
  quote,
} from '../kserve/index.ts';
import type { NamedTensor } from '../models/types.ts';
import { monotonicNs, NS_PER_MS, NS_PER_US, US_PER_MS } from '../units.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { DirectAnswer } from './direct/index.ts';
import { versionOf } from './model/index.ts';
import type { LoadedModel, ModelInference } from './model/types.ts';
import type { RequestBody } from './request-body.ts';
import type { ServingSettings } from './types.ts';

/**
 * Answers one inference request.
 *
 * `Server-Timing` gives, in milliseconds: `decode`, from the last byte of the body to the tensors; `queue`, from there to the runtime starting on it;
 * `compute`, in the runtime; and where answers are remembered `cache`, a hit or a miss. Decoding is apart from waiting because it is work, and for JSON tensors often more than the inference.
 * Source: W3C, "Server Timing".
 */
export async function answerInference(
  model: LoadedModel,
  headers: Headers,
  { bytes, completeNs }: RequestBody,
  pool: BufferPool,
): Promise<DirectAnswer> {
  const { id, parameters, tensors, outputs, binaryOutputs } = decodeInferRequest(headers, bytes, model.signature);
  const decodeMs = (monotonicNs() - completeNs) / NS_PER_MS;
  const lend = ownBuffers(tensors);
  if (!lend.includes(bytes.buffer)) pool.give(bytes.buffer);
  const inference = await model.infer({
    ...{ tensors, lend, outputs },
    deadlineNs: deadlineOf(parameters, completeNs, model.settings),
  });
  for (const buffer of inference.returned) pool.give(buffer);
  const response = encodeInferResponse({
    modelName: model.settings.name,
    modelVersion: versionOf(model.settings),
    id,
    outputs: inference.outputs,
    binaryOutputs,
  });
  // Spreading names with a hyphen into another object takes ten times as long.
  const fields = Object.assign(response.headers, { 'server-timing': serverTiming(decodeMs, inference) });
  return { status: 200, headers: fields, body: response.body };
}

/**
 * When a request has to have been started on: its parameter `timeout`, microseconds from its arrival (0 is never), or else what the model is served with.
 * @throws KserveError where it is no number of microseconds
 */
export function deadlineOf(
  { timeout }: Parameters,
  arrivedNs: number,
  { deadlineMs }: Pick<ServingSettings, 'deadlineMs'>,
): number | undefined {
  if (timeout === undefined) return deadlineMs === undefined ? undefined : arrivedNs + deadlineMs * NS_PER_MS;
  if (timeout === 0) return undefined;
  if (typeof timeout === 'number' && timeout > 0) return arrivedNs + timeout * NS_PER_US;
  throw new KserveError(
    400,
    `the request has ${quote(timeout)} as its parameter "timeout", where a number of microseconds is expected`,
  );
}

/** How long the server took over a request, as `Server-Timing` has it. */
export function serverTiming(decodeMs: number, { queueUs, computeUs, cache }: ModelInference): string {
  const [queueMs, computeMs] = [queueUs / US_PER_MS, computeUs / US_PER_MS];
  const times = `decode;dur=${decodeMs.toFixed(3)}, queue;dur=${queueMs.toFixed(3)}, compute;dur=${computeMs.toFixed(3)}`;
  return cache === undefined ? times : `${times}, cache;desc=${cache}`;
}

/** The body and what was decoded from it belong to this request alone, so all of it may move to the engine's thread. */
function ownBuffers(tensors: readonly NamedTensor[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { data } of tensors) {
    if (Array.isArray(data)) continue;
    const buffer = data.buffer as ArrayBuffer;
    if (!buffers.includes(buffer)) buffers.push(buffer);
  }
  return buffers;
}
