export { startGateway } from './start-gateway.ts';
export type * from './types.ts';
