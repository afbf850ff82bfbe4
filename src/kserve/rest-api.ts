import type { NamedTensor } from '../models/types.ts';
import { encodeInferRequest } from './infer-request.ts';
import { decodeInferResponse } from './infer-response.ts';
import { decodePredictResponse, encodePredictRequest } from './tensorflow-serving.ts';
import type { Headers, InferenceApi, RestProtocol, WireMessage } from './types.ts';

/** How a client asks a server over HTTP. Paths start with a slash. */
export interface RestApi {
  healthPath(modelName: string): string;
  inferPath(modelName: string): string;
  encode(protocol: RestProtocol, tensors: readonly NamedTensor[]): WireMessage;
  /** @throws KserveError with status 502 where the answer cannot be read */
  decode(headers: Headers, body: Uint8Array<ArrayBuffer>): readonly NamedTensor[];
}

export const REST_APIS: Readonly<Record<InferenceApi, RestApi>> = {
  'kserve-v2': {
    healthPath: () => '/v2/health/ready',
    inferPath: (modelName) => `/v2/models/${encodeURIComponent(modelName)}/infer`,
    encode: (protocol, tensors) => encodeInferRequest(protocol, tensors),
    decode: (headers, body) => decodeInferResponse(headers, body).outputs,
  },
  'tensorflow-serving': {
    healthPath: (modelName) => `/v1/models/${encodeURIComponent(modelName)}`,
    inferPath: (modelName) => `/v1/models/${encodeURIComponent(modelName)}:predict`,
    encode: (_protocol, tensors) => encodePredictRequest(tensors),
    decode: (_headers, body) => decodePredictResponse(body),
  },
};
