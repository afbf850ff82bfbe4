import { messageOf } from '../errors.ts';
import { classifyPath, decodeClassification, decodeModelMetadata, REST_APIS } from '../kserve/index.ts';
import { imagesFor, inferOnceOverGrpc } from '../load/index.ts';
import type { Protocol } from '../load/types.ts';
import { makeSampleBatches } from '../models/index.ts';
import type { NamedTensor } from '../models/types.ts';
import { serverParameters, servingParameters } from '../server/index.ts';
import type { ModelSettings, ServerSettings } from '../server/types.ts';
import type { InferenceTarget } from './configuration-settings.ts';
import { TrialFailure } from './waiting.ts';

/**
 * Asks a server that accepts connections whether it is ready, and for one real inference.
 *
 * @throws TrialFailure saying what was answered, where health or the inference fails
 */
export async function checkReadiness(target: InferenceTarget, signal: AbortSignal): Promise<void> {
  const api = REST_APIS[target.api ?? 'kserve-v2'];
  await expectOk(`${target.url}${api.healthPath(target.modelName)}`, {}, signal);
  await checkInference(target, signal);
}

/** Asks for one real inference. @throws TrialFailure saying what was answered, where it fails */
export async function checkInference(target: InferenceTarget, signal: AbortSignal): Promise<void> {
  if (target.protocol === 'image') {
    await classifyOnce(target, signal);
    return;
  }
  const [sample] = makeSampleBatches(target.inputs, { ...target, count: 1 });
  if (sample === undefined) throw new TrialFailure('no sample input could be made for the model');
  const outputs = await inferOnce({ ...target, protocol: target.protocol }, sample.tensors, signal);
  if (outputs.length === 0) throw new TrialFailure('the first inference was answered without an output');
}

async function classifyOnce(target: InferenceTarget, signal: AbortSignal): Promise<void> {
  const [first] = await imagesFor(target, 1);
  if (first === undefined) throw new TrialFailure('no sample image could be made for the model');
  const body = new Uint8Array(first.bytes);
  const response = await expectOk(`${target.url}${classifyPath(target.modelName)}`, { method: 'POST', body }, signal);
  decodeClassification(new Uint8Array(await response.arrayBuffer()));
}

async function inferOnce(
  target: InferenceTarget & { readonly protocol: Exclude<Protocol, 'image'> },
  tensors: readonly NamedTensor[],
  signal: AbortSignal,
): Promise<readonly NamedTensor[]> {
  if (target.protocol === 'grpc') {
    return inferOnceOverGrpc(target, tensors, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new TrialFailure(messageOf(error));
    });
  }
  const api = REST_APIS[target.api ?? 'kserve-v2'];
  const { headers, body } = api.encode(target.protocol, tensors);
  const inferUrl = `${target.url}${api.inferPath(target.modelName)}`;
  const response = await expectOk(inferUrl, { method: 'POST', headers, body }, signal);
  return api.decode(Object.fromEntries(response.headers), new Uint8Array(await response.arrayBuffer()));
}

/**
 * Reads back from a server of dse's own what it is limited to as a whole.
 *
 * @throws TrialFailure with every setting that reads otherwise than asked
 */
export async function checkServerSettings(settings: ServerSettings, url: string, signal: AbortSignal): Promise<void> {
  const response = await expectOk(`${url}/v2`, {}, signal);
  const { parameters = {} } = (await response.json()) as { readonly parameters?: Readonly<Record<string, unknown>> };
  compare(serverParameters(settings), parameters);
}

/**
 * Reads back from a server of dse's own how it really serves a model, which has to be loaded.
 *
 * @throws TrialFailure with every setting that reads otherwise than asked
 */
export async function checkModelSettings(model: ModelSettings, url: string, signal: AbortSignal): Promise<void> {
  const response = await expectOk(`${url}/v2/models/${encodeURIComponent(model.name)}`, {}, signal);
  compare(servingParameters(model), decodeModelMetadata(new Uint8Array(await response.arrayBuffer())).parameters);
}

function compare(asked: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>): void {
  const mismatches = Object.entries(asked)
    .map(([name, value]) => [name, JSON.stringify(value), JSON.stringify(found[name])])
    .filter(([, value, back]) => value !== back)
    .map(([name, value, back]) => `asked for ${name} ${value}, but it reads back ${back ?? 'nothing'}`);
  if (mismatches.length > 0)
    throw new TrialFailure(`the server does not serve as it was told: ${mismatches.join('; ')}`);
}

/** An answer with a status of success. @throws TrialFailure saying what was answered else */
export async function expectOk(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
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
