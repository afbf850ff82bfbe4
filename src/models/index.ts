// Cheap to import: reading, building and running ONNX, and protobuf and onnxruntime with it, load on the first call that needs them.
export { catalogue, isKnownModel, isModelPath, modelNames, nearestModelNames } from './catalogue.ts';
export { type EvaluatedAccuracy, evaluateOnce } from './evaluate/evaluate-once.ts';
export { evaluateModel, type ModelEvaluation, type SampleScaling } from './evaluate/index.ts';
export { fusionSettings } from './fused-outputs.ts';
export { ImageError } from './images/image-error.ts';
export { createImageReader, type ImageReader, imageReaderOf } from './images/image-reader.ts';
export { type LabelledImage, makeImages } from './images/make-images.ts';
export { parseDescription, readSidecar, writeDescription } from './images/parse-description.ts';
export { topClasses } from './images/top-classes.ts';
export type { ModelReport } from './inspect/inspect-model.ts';
export { type ModelProfile, profileModel } from './profile.ts';
export { type PulledModel, pullModel } from './pull/pull-model.ts';
export { remoteModels } from './pull/remote-models.ts';
export { resolveModel } from './resolve.ts';
export { countSamples, makeSampleBatches } from './samples.ts';
export { countCorrect } from './scoring.ts';
export { inspectModel, itemWork, prunePercentFor, writeVariant } from './tools.ts';
export type * from './types.ts';
