export { GrpcHealth } from './health.ts';
export { type GrpcServer, listenGrpc, startGrpc } from './start-grpc.ts';
export { grpcError } from './status.ts';
