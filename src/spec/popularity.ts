import { z } from 'zod';
import type { Popularity } from './types.ts';
import { choice, positiveNumber } from './values.ts';

export const POPULARITY = 'in-turn, uniform or a Zipf exponent, e.g. { zipf: 1.0 }';

/** Popularities that are one word. */
export const plainPopularity = choice(['in-turn', 'uniform']);

export const zipfPopularity = z.strictObject({ zipf: positiveNumber(1) }, { error: POPULARITY });

/** A level by what it is: `{ zipf: 1.2 }` is called zipf-1.2. */
export const zipfLevel = zipfPopularity.transform((written) => ({
  name: `zipf-${written.zipf}`,
  value: toPopularity(written),
}));

/** What was written, as the load generator is told. */
export function toPopularity(written: 'in-turn' | 'uniform' | z.output<typeof zipfPopularity>): Popularity {
  return typeof written === 'string' ? { kind: written } : { kind: 'zipf', exponent: written.zipf };
}
