export { servingParameters } from './serving-parameters.ts';
export { startServer } from './start-server.ts';
export type * from './types.ts';
