export { loadModel } from './load-model.ts';
export type * from './types.ts';
export { versionOf } from './version.ts';
