import { type ServiceError, status } from '@grpc/grpc-js';
import { OUTCOME } from '../types.ts';

/** What became of a call that the server did not answer; undefined where the error is its answer. grpc-js tells its own errors from the server's in words alone. */
export function lostCallOutcome({ code, details }: ServiceError): number | undefined {
  if (code !== status.UNAVAILABLE && code !== status.INTERNAL && code !== status.CANCELLED) return undefined;
  if (/No connection established|ECONNREFUSED|Name resolution failed/.test(details)) return OUTCOME.refused;
  if (/Connection dropped|ECONNRESET|EPIPE|socket hang up|Received RST_STREAM|Session closed|GOAWAY/i.test(details))
    return OUTCOME.reset;
  return undefined;
}
