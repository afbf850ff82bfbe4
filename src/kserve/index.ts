export { wireTypeOf } from './datatypes.ts';
export {
  decodeInferRequest,
  encodeInferRequest,
  type InferRequestOptions,
  type ModelSignature,
} from './infer-request.ts';
export { decodeError, decodeInferResponse, encodeError, encodeInferResponse } from './infer-response.ts';
export { KserveError, quote } from './kserve-error.ts';
export { JSON_LENGTH_HEADER, readJsonLength } from './message.ts';
export { decodeModelMetadata, modelMetadataJson } from './model-metadata.ts';
export type * from './types.ts';
