import { type ServiceError, status } from '@grpc/grpc-js';
import { OUTCOME } from '../types.ts';

/** What a status of gRPC is in HTTP; all others are the server's failure. */
const HTTP_STATUS: Readonly<Partial<Record<status, number>>> = {
  [status.OK]: 200,
  [status.INVALID_ARGUMENT]: 400,
  [status.FAILED_PRECONDITION]: 400,
  [status.OUT_OF_RANGE]: 400,
  [status.UNAUTHENTICATED]: 401,
  [status.PERMISSION_DENIED]: 403,
  [status.NOT_FOUND]: 404,
  [status.ABORTED]: 409,
  [status.ALREADY_EXISTS]: 409,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNIMPLEMENTED]: 404,
  [status.UNAVAILABLE]: 503,
  [status.DEADLINE_EXCEEDED]: 504,
};

export function httpStatusOf(code: status): number {
  return HTTP_STATUS[code] ?? 500;
}

/** What became of a call that the server did not answer; undefined where the error is its answer. grpc-js tells its own errors from the server's in words alone. */
export function lostCallOutcome({ code, details }: ServiceError): number | undefined {
  if (code !== status.UNAVAILABLE && code !== status.INTERNAL && code !== status.CANCELLED) return undefined;
  if (/No connection established|ECONNREFUSED|Name resolution failed/.test(details)) return OUTCOME.refused;
  if (/Connection dropped|ECONNRESET|EPIPE|socket hang up|Received RST_STREAM|Session closed|GOAWAY/i.test(details))
    return OUTCOME.reset;
  return undefined;
}
