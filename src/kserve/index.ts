export {
  type ClassificationOptions,
  classifyPath,
  DEFAULT_TOP,
  decodeClassification,
  encodeClassification,
  readClassificationOptions,
} from './classification.ts';
export { decodeGrpcInferRequest, encodeGrpcInferRequest } from './grpc/infer-request.ts';
export { decodeGrpcInferResponse, encodeGrpcInferResponse } from './grpc/infer-response.ts';
export { INFERENCE_SERVICE, type InferenceProto, loadInferenceProto } from './grpc/load-service.ts';
export type * from './grpc/messages.ts';
export { decodeGrpcModelMetadata, encodeGrpcModelMetadata } from './grpc/metadata.ts';
export { startOfRawInput } from './grpc/raw-start.ts';
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
export { REST_APIS, type RestApi } from './rest-api.ts';
export type * from './types.ts';
