import { LoadError, messageOf } from '../errors.ts';
import {
  decodeError,
  decodeGrpcModelMetadata,
  decodeModelMetadata,
  loadInferenceProto,
  type ModelMetadata,
  type ModelMetadataMessage,
} from '../kserve/index.ts';

const TIMEOUT_MS = 10_000;

/**
 * What a server says of a model, over REST or, for an address `grpc://host:port`, over gRPC.
 * @throws LoadError where it cannot be reached, or does not have the model
 */
export async function fetchModelMetadata(address: string, modelName: string): Promise<ModelMetadata> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { protocol, host } = new URL(address);
    return protocol === 'grpc:' ? await overGrpc(host, modelName, signal) : await overRest(address, modelName, signal);
  } catch (error) {
    const hint = 'Name a model that the server has, at the address it serves the protocol on.';
    throw new LoadError({ where: address, what: `the model "${modelName}": ${messageOf(error)}`, hint }, error);
  }
}

async function overRest(address: string, modelName: string, signal: AbortSignal): Promise<ModelMetadata> {
  const url = `${address.replace(/\/+$/, '')}/v2/models/${encodeURIComponent(modelName)}`;
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    throw new Error(`the server cannot be reached (${messageOf((error as Error).cause ?? error)})`);
  });
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.ok) return decodeModelMetadata(body);
  throw new Error(`the server answered ${response.status}: ${decodeError(body) ?? 'without a sentence'}`);
}

async function overGrpc(host: string, name: string, signal: AbortSignal): Promise<ModelMetadata> {
  const { service } = await loadInferenceProto();
  const { requestSerialize, responseDeserialize } = service.ModelMetadata as NonNullable<typeof service.ModelMetadata>;
  const { callOnce, MODEL_METADATA_PATH } = await import('../grpc-channel.ts');
  const answer = await callOnce(host, MODEL_METADATA_PATH, requestSerialize({ name }), signal);
  return decodeGrpcModelMetadata(responseDeserialize(answer) as ModelMetadataMessage);
}
