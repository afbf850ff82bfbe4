import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded stream of random numbers. The same seed gives the same numbers in every process and on every machine. */
export interface Rng {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number;
  /** Exponential with the given rate (mean 1/rate), by inversion. */
  exponential(rate: number): number;
  /** Standard normal, by the Box-Muller transform. */
  normal(): number;
  /** A new array with the same items in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

export function createRng(seed: number): Rng {
  const generator = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(generator);
  const integer = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    uniform,
    integer,
    exponential: (rate) => -Math.log1p(-uniform()) / rate,
    normal: () => Math.sqrt(-2 * Math.log1p(-uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other] as never, shuffled[last] as never];
      }
      return shuffled;
    },
  };
}

/**
 * A seed for one purpose, derived from the experiment's seed and labels that name the purpose.
 *
 * Streams with different labels are independent of each other, and adding a purpose changes none of the others.
 * @returns a signed 32-bit integer
 */
export function deriveSeed(seed: number, ...labels: readonly (string | number)[]): number {
  return createHash('sha256')
    .update(JSON.stringify([seed, ...labels]))
    .digest()
    .readInt32LE(0);
}
