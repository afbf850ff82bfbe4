export { startServer } from './start-server.ts';
export type * from './types.ts';
