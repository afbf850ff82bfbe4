import { createRng, deriveSeed } from '../../rng.ts';
import type { Popularity } from '../../spec/types.ts';

/**
 * Positions of `count` distinct requests in the order they are sent, endlessly; the same for the same seed.
 *
 * Under `zipf` the request at position k - 1 has a probability in proportion to 1/k^exponent, drawn by inversion of the cumulative sum.
 */
export function createRequestOrder(count: number, popularity: Popularity, seed: number): () => number {
  const rng = createRng(deriveSeed(seed, 'popularity'));
  switch (popularity.kind) {
    case 'in-turn': {
      let next = 0;
      return () => next++ % count;
    }
    case 'uniform':
      return () => rng.integer(0, count - 1);
    case 'zipf': {
      const cumulative = cumulativeWeights(count, popularity.exponent);
      return () => firstAbove(cumulative, rng.uniform() * (cumulative.at(-1) ?? 0));
    }
  }
}

function cumulativeWeights(count: number, exponent: number): Float64Array {
  let sum = 0;
  return Float64Array.from({ length: count }, (_, index) => {
    sum += (index + 1) ** -exponent;
    return sum;
  });
}

/** Position of the first value above a threshold, in an ascending list. */
function firstAbove(ascending: Float64Array, threshold: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) > threshold) high = middle;
    else low = middle + 1;
  }
  return low;
}
