export { InferenceError } from './inference-error.ts';
export { loadEngine } from './load-engine.ts';
export type * from './types.ts';
