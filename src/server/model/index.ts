export { loadModel } from './load-model.ts';
export { DEFAULT_MAX_QUEUE } from './scheduler.ts';
export type * from './types.ts';
export { versionOf } from './version.ts';
