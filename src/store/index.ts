export { FILES, histogramPath } from './files.ts';
export { MEASUREMENT_VERSION, trialKey } from './trial-key.ts';
export * from './types.ts';
