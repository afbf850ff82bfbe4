export { modelIndex, refuseParameters } from './model-index.ts';
export { ModelRepository } from './model-repository.ts';
export type * from './types.ts';
