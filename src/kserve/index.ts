export {
  decodeInferRequest,
  encodeInferRequest,
  type ModelSignature,
} from './infer-request.ts';
export { decodeError, decodeInferResponse, encodeError, encodeInferResponse } from './infer-response.ts';
export { parseJsonObject } from './json-text.ts';
export { KserveError, quote } from './kserve-error.ts';
export { readJsonLength } from './message.ts';
export { decodeModelMetadata, modelMetadataJson } from './model-metadata.ts';
export type * from './types.ts';
