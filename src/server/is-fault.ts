import { KserveError } from '../kserve/index.ts';

/**
 * Whether an error is the server's fault and belongs into its log: not where a request was refused, or ran out of the time its client gave it. A model that is not ready was told of when that
 * came about, not once more with each request for it.
 */
export function isFault(error: unknown): boolean {
  const status = error instanceof KserveError ? error.status : ((error as { statusCode?: number }).statusCode ?? 500);
  return status >= 500 && status !== 503 && status !== 504;
}
