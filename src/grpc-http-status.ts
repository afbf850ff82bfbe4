import { status } from '@grpc/grpc-js';

/**
 * What every status of gRPC is in HTTP.
 *
 * Source: googleapis, google/rpc/code.proto ("HTTP Mapping" of each code). gRPC's own doc/http-grpc-status-mapping.md goes the other way, and only for answers that are not gRPC.
 */
const HTTP_STATUS: Readonly<Record<status, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/** A code that gRPC does not have is as UNKNOWN. */
export function httpStatusOf(code: number): number {
  return HTTP_STATUS[code as status] ?? HTTP_STATUS[status.UNKNOWN];
}
