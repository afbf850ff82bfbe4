import { status } from '@grpc/grpc-js';
import { messageOf } from '../../errors.ts';
import { KserveError } from '../../kserve/index.ts';

/** gRPC's word for what REST says with an HTTP status. */
const STATUS_OF: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** How a call ends that was not answered. */
export interface CallStatus {
  readonly code: status;
  readonly details: string;
}

/** A call that breaks gRPC's own rules, whatever it asks for. */
export class CallError extends Error implements CallStatus {
  readonly code: status;

  constructor(code: status, details: string) {
    super(details);
    this.name = 'CallError';
    this.code = code;
  }

  get details(): string {
    return this.message;
  }
}

/**
 * An error as gRPC reports it. What is not the protocol's is the server's fault.
 *
 * The details are whole UTF-16: a quoted name may have been cut within a character, and grpc-js would throw on its half, outside of any handler.
 */
export function grpcError(error: unknown): CallStatus {
  if (!(error instanceof KserveError)) {
    return { code: status.INTERNAL, details: `the server failed on this request: ${messageOf(error)}`.toWellFormed() };
  }
  return { code: STATUS_OF[error.status] ?? status.INTERNAL, details: error.message.toWellFormed() };
}
