export type { DirectAnswer } from './connection.ts';
export { serveDirectly } from './serve-directly.ts';
