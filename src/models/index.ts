export { catalogue, isKnownModel, isModelPath, modelNames, nearestModelNames } from './catalogue.ts';
export { type ResolveOptions, resolveModel } from './resolve.ts';
export type * from './types.ts';
