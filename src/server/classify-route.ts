import { DseError } from '../errors.ts';
import { type ClassificationOptions, encodeClassification, KserveError, quote } from '../kserve/index.ts';
import { topClasses } from '../models/index.ts';
import { monotonicNs, NS_PER_MS } from '../units.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { DirectAnswer } from './direct/index.ts';
import { deadlineOf, serverTiming } from './infer-route.ts';
import { versionOf } from './model/index.ts';
import type { LoadedModel } from './model/types.ts';
import type { RequestBody } from './request-body.ts';

/**
 * Answers a request that is nothing but a JPEG or PNG file, with the classes the model finds likeliest.
 *
 * The image becomes the model's input as its metadata says, and then waits its turn among the requests of tensors. `decode` in `Server-Timing` covers all of that work,
 * from the last byte of the body to the tensor.
 */
export async function answerClassification(
  model: LoadedModel,
  { bytes, completeNs }: RequestBody,
  { top, timeout }: ClassificationOptions,
  pool: BufferPool,
): Promise<DirectAnswer> {
  const { settings, images, signature } = model;
  if (images === undefined) {
    const what = `nothing says how images become the input of the model ${quote(settings.name)}`;
    throw new KserveError(400, `${what}; it takes tensors at /infer`);
  }
  const deadlineNs = deadlineOf({ timeout }, completeNs, settings);
  const tensor = await images.read(bytes).finally(() => pool.give(bytes.buffer));
  const decodeMs = (monotonicNs() - completeNs) / NS_PER_MS;
  const [scores] = signature.outputs;
  const buffer = tensor.data as { readonly buffer: ArrayBuffer };
  const inference = await model.infer({
    tensors: [tensor],
    lend: [buffer.buffer],
    outputs: scores === undefined ? [] : [scores.name],
    deadlineNs,
  });
  for (const returned of inference.returned) pool.give(returned);
  const { labels, caveat } = images.description;
  const { headers, body } = encodeClassification({
    modelName: settings.name,
    modelVersion: versionOf(settings),
    predictions: classesOf(inference.outputs[0], top, labels),
    caveat,
  });
  return { status: 200, headers: Object.assign(headers, { 'server-timing': serverTiming(decodeMs, inference) }), body };
}

function classesOf(scores: Parameters<typeof topClasses>[0] | undefined, top: number, labels?: readonly string[]) {
  try {
    if (scores !== undefined) return topClasses(scores, top, labels);
  } catch (error) {
    if (!(error instanceof DseError)) throw error;
    throw new KserveError(501, error.problems.map(({ what }) => what).join('; '));
  }
  throw new KserveError(501, 'the model has no outputs');
}
