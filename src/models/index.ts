// Cheap to import: reading and building ONNX, and protobuf with it, loads on the first `resolveModel`.
export { catalogue, isKnownModel, isModelPath, modelNames, nearestModelNames } from './catalogue.ts';
export { resolveModel } from './resolve.ts';
export { makeSampleBatches } from './samples.ts';
export { countCorrect } from './scoring.ts';
export type * from './types.ts';
