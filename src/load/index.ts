export type * from './types.ts';
export { OUTCOME } from './types.ts';
