export { ModelRepository } from './model-repository.ts';
export type * from './types.ts';
