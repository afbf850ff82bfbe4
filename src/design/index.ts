export { createDesign } from './create-design.ts';
export { type DesignDescription, describeDesign } from './describe-design.ts';
export { estimateRunS } from './estimate.ts';
export { isExcluded } from './exclusions.ts';
export type * from './types.ts';
