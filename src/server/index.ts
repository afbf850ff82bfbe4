export { REQUEST_TIMEOUT_MS } from './app.ts';
export { answerBrokenRequest, answerConnect, answerExpectation } from './broken-request.ts';
export { BufferPool } from './buffer-pool.ts';
export type { DirectAnswer, DirectClient, RequestHead, StreamedAnswer } from './direct/index.ts';
export { inject, PLAIN_PATH, serveDirectly } from './direct/index.ts';
export { addSystemMetrics } from './metrics/system-metrics.ts';
export { serverParameters, servingParameters } from './serving-parameters.ts';
export { drain, grpcListenError, listenError, loadGrpc, startServer } from './start-server.ts';
export type * from './types.ts';
