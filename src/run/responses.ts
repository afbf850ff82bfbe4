import type { Responses } from '../store/types.ts';

/** Responses of which some could not be measured. */
export type MaybeResponses = Readonly<Record<string, number | string | undefined>>;

/** Those that were measured. */
export function withoutMissing(responses: MaybeResponses): Responses {
  return Object.fromEntries(Object.entries(responses).filter(([, value]) => value !== undefined)) as Responses;
}
