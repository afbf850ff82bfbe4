import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeInferRequest, encodeInferResponse, KserveError } from '../kserve/index.ts';
import type { NamedTensor } from '../models/types.ts';
import { monotonicNs, NS_PER_MS } from '../units.ts';
import type { BufferPool } from './buffer-pool.ts';
import { versionOf } from './model/index.ts';
import type { LoadedModel } from './model/types.ts';
import type { RequestBody } from './request-body.ts';

/**
 * Answers one inference request.
 *
 * `Server-Timing` gives, in milliseconds: `decode`, from the last byte of the body to the tensors; `queue`, from there to the runtime starting on it;
 * `compute`, in the runtime. Decoding is apart from waiting because it is work, and for JSON tensors often more than the inference.
 * Source: W3C, "Server Timing".
 */
export async function answerInference(
  model: LoadedModel,
  request: FastifyRequest,
  reply: FastifyReply,
  pool: BufferPool,
): Promise<Buffer> {
  const received = request.body as RequestBody | undefined;
  if (received === undefined) throw new KserveError(400, 'the request has no body');
  const { bytes, completeNs } = received;
  const { id, tensors, outputs } = decodeInferRequest(request.headers, bytes, model.signature);
  const decodeMs = (monotonicNs() - completeNs) / NS_PER_MS;
  const lend = ownBuffers(tensors);
  if (!lend.includes(bytes.buffer)) pool.give(bytes.buffer);
  const names = outputs.map(({ name }) => name);
  const inference = await model.infer({ tensors, lend, outputs: names });
  for (const buffer of inference.returned) pool.give(buffer);
  const response = encodeInferResponse({
    modelName: model.settings.name,
    modelVersion: versionOf(model.settings),
    id,
    outputs: inference.outputs,
    binaryOutputs: new Set(outputs.filter(({ isBinary }) => isBinary).map(({ name }) => name)),
  });
  reply.headers(response.headers);
  reply.header('server-timing', serverTiming(decodeMs, inference.queueUs / 1e3, inference.computeUs / 1e3));
  return response.body as Buffer;
}

function serverTiming(decodeMs: number, queueMs: number, computeMs: number): string {
  return `decode;dur=${decodeMs.toFixed(3)}, queue;dur=${queueMs.toFixed(3)}, compute;dur=${computeMs.toFixed(3)}`;
}

/** The body and what was decoded from it belong to this request alone, so all of it may move to the engine's thread. */
function ownBuffers(tensors: readonly NamedTensor[]): ArrayBuffer[] {
  const buffers = tensors.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer as ArrayBuffer]));
  return [...new Set(buffers)];
}
