export { FACTORS, type FactorDefinition } from './factors.ts';
export { neighboursOf } from './neighbours.ts';
export { parseSpec } from './parse-spec.ts';
export { defaultEnergySpec } from './resolve.ts';
export { findResponse, RESPONSES, type ResponseDefinition } from './responses.ts';
export { specJsonSchema } from './schema.ts';
export type * from './types.ts';
export { LOAD_FACTORS } from './types.ts';
export { choice, durationMs, positiveNumber, wholeNumber } from './values.ts';
