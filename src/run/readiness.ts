import { messageOf } from '../errors.ts';
import { decodeInferResponse, encodeInferRequest } from '../kserve/index.ts';
import { makeSampleBatches } from '../models/index.ts';
import type { InferenceTarget } from './configuration-settings.ts';
import { TrialFailure } from './waiting.ts';

/**
 * Asks a server that accepts connections whether it is ready, and for one real inference.
 *
 * @throws TrialFailure saying what was answered, where health or the inference fails
 */
export async function checkReadiness(target: InferenceTarget, signal: AbortSignal): Promise<void> {
  await expectOk(`${target.url}/v2/health/ready`, {}, signal);
  const [sample] = makeSampleBatches(target.inputs, { ...target, count: 1 });
  if (sample === undefined) throw new TrialFailure('no sample input could be made for the model');
  const { headers, body } = encodeInferRequest(target.protocol, sample.tensors);
  const inferUrl = `${target.url}/v2/models/${encodeURIComponent(target.modelName)}/infer`;
  const response = await expectOk(inferUrl, { method: 'POST', headers, body }, signal);
  const { outputs } = decodeInferResponse(
    Object.fromEntries(response.headers),
    new Uint8Array(await response.arrayBuffer()),
  );
  if (outputs.length === 0) throw new TrialFailure('the first inference was answered without an output');
}

async function expectOk(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new TrialFailure(`${url} could not be reached: ${messageOf(error)}`);
  }
  if (!response.ok)
    throw new TrialFailure(`${url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response;
}
