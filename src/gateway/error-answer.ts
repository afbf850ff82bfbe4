import type { FastifyError } from 'fastify';
import { messageOf } from '../errors.ts';
import { encodeError, KserveError } from '../kserve/index.ts';
import type { DirectAnswer } from '../server/index.ts';

/** An error as the protocol has it. @param onError - told of those that are the gateway's own fault */
export function errorAnswer(error: unknown, { onError }: { readonly onError: (error: unknown) => void }): DirectAnswer {
  const isOurs = error instanceof KserveError;
  const status = isOurs ? error.status : ((error as Partial<FastifyError>).statusCode ?? 500);
  if (status === 500) onError(error);
  const { headers, body } = encodeError(messageOf(error));
  const retryAfter = isOurs ? error.retryAfterS : undefined;
  const fields = {
    ...headers,
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    // What has not come of the body by now is not waited for.
    ...(status === 413 && { connection: 'close' }),
  };
  return { status, headers: fields, body };
}
