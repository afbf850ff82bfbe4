export type { DirectAnswer, DirectClient, StreamedAnswer } from './connection.ts';
export { inject, PLAIN_PATH } from './inject.ts';
export type { RequestHead } from './request-head.ts';
export { serveDirectly } from './serve-directly.ts';
