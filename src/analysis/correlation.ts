import { normalTwoSidedP, tTwoSidedP } from './distributions.ts';
import { describe } from './moments.ts';
import { type DenseRanks, indicesUpTo, rankDensely, shareRanks, sortByRank } from './ranks.ts';
import type { Coefficient, CorrelationOutcome } from './types.ts';

/** One side of a correlation, ready to be held against many others. */
export interface Side {
  readonly n: number;
  /** Undefined where all values are equal. */
  readonly shape: Shape | undefined;
}

interface Shape {
  /** Deviations of the values from their mean, and of their ranks, each scaled to a length of 1. */
  readonly unitValues: Float64Array;
  readonly unitRanks: Float64Array;
  readonly ranked: DenseRanks;
  /** Places in ascending order. */
  readonly order: Uint32Array;
  readonly ties: readonly number[];
}

/** What can be worked out about one side alone, the sorting above all. */
export function prepareSide(values: Float64Array): Side {
  const n = values.length;
  const ranked = rankDensely(values);
  if (ranked.counts.length < 2) return { n, shape: undefined };
  return {
    n,
    shape: {
      unitValues: standardize(values),
      unitRanks: standardize(shareRanks(ranked)),
      ranked,
      order: sortByRank(indicesUpTo(n), ranked),
      ties: [...ranked.counts.filter((count) => count > 1)],
    },
  };
}

/**
 * Pearson's r, Spearman's rho and Kendall's tau-b of paired values, each with a two-sided p-value, in O(n log n).
 *
 * @param x - finite values
 * @param y - finite values, paired with those of x by their place
 * @returns the coefficients, or the reason why there are none: fewer than three pairs, or values that are all equal
 */
export function correlate(x: Float64Array, y: Float64Array): CorrelationOutcome {
  return correlateSides(prepareSide(x), prepareSide(y));
}

/** As `correlate`, for sides that are used in more than one pair. */
export function correlateSides(x: Side, y: Side): CorrelationOutcome {
  if (x.n !== y.n) throw new RangeError(`${x.n} values against ${y.n}; pairs need as many of each`);
  if (x.n < 3) return { reason: `${x.n} matched configurations; a correlation needs 3` };
  if (x.shape === undefined || y.shape === undefined) {
    const side = x.shape === undefined ? (y.shape === undefined ? 'both sides' : 'side a') : 'side b';
    return { reason: `all values are equal on ${side}` };
  }
  return {
    pearson: pearson(x.shape, y.shape),
    spearman: spearman(x.shape, y.shape),
    kendall: kendall(x.shape, y.shape),
  };
}

function pearson(x: Shape, y: Shape): Coefficient {
  const value = dotProduct(x.unitValues, y.unitValues);
  return { value, p: productMomentP(value, x.unitValues.length), method: 't' };
}

/** Deviations from the mean, scaled to a length of 1 in two steps so that no square over- or underflows. */
export function standardize(values: Float64Array): Float64Array {
  const { mean, min, max } = describe(values);
  const largest = Math.max(max - mean, mean - min);
  const scaled = new Float64Array(values.length);
  let squares = 0;
  for (let at = 0; at < values.length; at++) {
    const share = ((values[at] as number) - mean) / largest;
    scaled[at] = share;
    squares += share * share;
  }
  const length = Math.sqrt(squares);
  for (let at = 0; at < scaled.length; at++) scaled[at] = (scaled[at] as number) / length;
  return scaled;
}

/** Cosine between two vectors of length 1; rounding may carry it beyond 1, and is cut off. */
export function dotProduct(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < x.length; index++) sum += (x[index] as number) * (y[index] as number);
  return Math.max(-1, Math.min(1, sum));
}

/** Student's t with n - 2 degrees of freedom, exact where one side is normal. */
function productMomentP(r: number, n: number): number {
  const df = n - 2;
  const unexplained = 1 - r * r;
  return unexplained <= 0 ? 0 : tTwoSidedP(r * Math.sqrt(df / unexplained), df);
}

/** Up to here every order of n ranks can be tried at once (362,880). */
const LARGEST_EXACT_SPEARMAN = 9;

/** p is exact for up to nine pairs without ties, and that of Student's t otherwise. */
function spearman(x: Shape, y: Shape): Coefficient {
  const n = x.unitRanks.length;
  const value = dotProduct(x.unitRanks, y.unitRanks);
  const isTied = x.ties.length > 0 || y.ties.length > 0;
  if (n > LARGEST_EXACT_SPEARMAN || isTied) return { value, p: productMomentP(value, n), method: 't' };
  let distance = 0;
  for (let index = 0; index < n; index++) {
    distance += ((x.ranked.ranks[index] as number) - (y.ranked.ranks[index] as number)) ** 2;
  }
  return { value, p: exactSpearmanP(distance, n), method: 'exact' };
}

/**
 * Probability that n ranks in random order are at least as strongly correlated, in either direction, as at this sum of squared differences.
 *
 * The sum is symmetric about (n^3 - n) / 6, where rho is 0.
 */
function exactSpearmanP(distance: number, n: number): number {
  const centre = (n ** 3 - n) / 6;
  let extreme = 0;
  let all = 0;
  for (const [sum, frequency] of spearmanFrequencies(n).entries()) {
    all += frequency;
    if (Math.abs(sum - centre) >= Math.abs(distance - centre)) extreme += frequency;
  }
  return extreme / all;
}

const knownSpearmanFrequencies = new Map<number, Float64Array>();

/** How many of the orders of n ranks have each sum of squared differences. */
function spearmanFrequencies(n: number): Float64Array {
  const known = knownSpearmanFrequencies.get(n);
  if (known !== undefined) return known;
  const frequencies = new Float64Array((n ** 3 - n) / 3 + 1);
  const place = (position: number, taken: number, sum: number): void => {
    if (position === n) {
      frequencies[sum] = (frequencies[sum] as number) + 1;
      return;
    }
    for (let value = 0; value < n; value++) {
      if ((taken & (1 << value)) === 0) place(position + 1, taken | (1 << value), sum + (position - value) ** 2);
    }
  };
  place(0, 0, 0);
  knownSpearmanFrequencies.set(n, frequencies);
  return frequencies;
}

/** Up to here the exact distribution of Kendall's tau is worth its O(n^3). */
const LARGEST_EXACT_KENDALL = 50;

/**
 * Kendall's tau-b; p is exact for up to 50 pairs without ties, and normal with the variance corrected for ties otherwise.
 *
 * Source: Knight (1966), "A computer method for calculating Kendall's tau with ungrouped data", Journal of the American Statistical
 * Association 61; Kendall (1970), "Rank Correlation Methods", ch. 4 and 5.
 */
function kendall(x: Shape, y: Shape): Coefficient {
  const n = x.ranked.ranks.length;
  const { sequence, tiedBoth } = orderByBoth(x, y);
  const discordant = countInversions(sequence, y.ranked.counts);
  const pairs = (n * (n - 1)) / 2;
  const tiedX = countPairs(x.ties);
  const tiedY = countPairs(y.ties);
  const concordant = pairs - tiedX - tiedY + tiedBoth - discordant;
  const tau = (concordant - discordant) / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY);
  const value = Math.max(-1, Math.min(1, tau));

  if (tiedX === 0 && tiedY === 0 && n <= LARGEST_EXACT_KENDALL) {
    return { value, p: exactKendallP(discordant, n), method: 'exact' };
  }
  const sd = Math.sqrt(tiedKendallVariance(n, x.ties, y.ties));
  return { value, p: normalTwoSidedP((concordant - discordant) / sd), method: 'normal' };
}

function countPairs(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
}

/**
 * Ranks of y in the order of x, and where x is tied in their own, so that pairs tied in x add no inversion; and how many pairs are tied in both.
 */
function orderByBoth(x: Shape, y: Shape): { readonly sequence: Uint32Array; readonly tiedBoth: number } {
  const sequence = gatherRanks(x.order, y.ranked.ranks);
  let tiedBoth = 0;
  let start = 0;
  for (const count of x.ranked.counts) {
    if (count > 1) {
      const tied = sequence.subarray(start, start + count).sort();
      let size = 1;
      for (let at = 1; at < count; at++) {
        size = tied[at] === tied[at - 1] ? size + 1 : 1;
        tiedBoth += size - 1;
      }
    }
    start += count;
  }
  return { sequence, tiedBoth };
}

function gatherRanks(order: Uint32Array, ranks: Uint32Array): Uint32Array {
  const gathered = new Uint32Array(order.length);
  for (let at = 0; at < order.length; at++) gathered[at] = ranks[order[at] as number] as number;
  return gathered;
}

/** Variance of concordant minus discordant pairs in random order, given the tie groups of both sides. */
function tiedKendallVariance(n: number, tiesX: readonly number[], tiesY: readonly number[]): number {
  const sumOver = (sizes: readonly number[], term: (size: number) => number) =>
    sizes.reduce((sum, size) => sum + term(size), 0);
  const first = (size: number) => size * (size - 1) * (2 * size + 5);
  const second = (size: number) => size * (size - 1) * (size - 2);
  const third = (size: number) => size * (size - 1);
  return (
    (first(n) - sumOver(tiesX, first) - sumOver(tiesY, first)) / 18 +
    (sumOver(tiesX, second) * sumOver(tiesY, second)) / (9 * second(n)) +
    (sumOver(tiesX, third) * sumOver(tiesY, third)) / (2 * third(n))
  );
}

/** Probability that n values in random order have at least as few, or at least as many, discordant pairs. */
function exactKendallP(discordant: number, n: number): number {
  const pairs = (n * (n - 1)) / 2;
  const fewer = Math.min(discordant, pairs - discordant);
  // Probabilities of each number of inversions, built up one value at a time: the k-th value adds 0 to k - 1 of them, equally likely.
  let probabilities: Float64Array = Float64Array.of(1);
  for (let k = 2; k <= n; k++) {
    const longer = new Float64Array((k * (k - 1)) / 2 + 1);
    let inReach = 0;
    for (let inversions = 0; inversions < longer.length; inversions++) {
      inReach += probabilities[inversions] ?? 0;
      if (inversions >= k) inReach -= probabilities[inversions - k] ?? 0;
      longer[inversions] = Math.max(0, inReach) / k;
    }
    probabilities = longer;
  }
  let tail = 0;
  for (let inversions = 0; inversions <= fewer; inversions++) tail += probabilities[inversions] as number;
  return Math.min(1, 2 * tail);
}

/**
 * How many pairs of ranks are out of order, equal ones being in order.
 *
 * Goes through the ranks and counts for each the smaller ones before it: seen ones are bits, and a tree of partial sums counts the bits of all words before. Bits keep the tree so
 * small that it stays near the processor.
 * @param counts - how many there are of each rank
 * Source: Fenwick (1994), "A new data structure for cumulative frequency tables", Software: Practice and Experience 24(3).
 */
function countInversions(ranks: Uint32Array, counts: Uint32Array): number {
  const places = counts.length === ranks.length ? ranks : placeTies(ranks, counts);
  const words = (places.length >>> 5) + 1;
  const seen = new Int32Array(words);
  const tree = new Int32Array(words + 1);
  let inversions = 0;
  for (let before = 0; before < places.length; before++) {
    const place = places[before] as number;
    const word = place >>> 5;
    const bits = seen[word] as number;
    let smaller = countBits(bits & ~(-1 << (place & 31)));
    seen[word] = bits | (1 << (place & 31));
    for (let node = word; node > 0; node &= node - 1) smaller += tree[node] as number;
    for (let node = word + 1; node <= words; node += node & -node) tree[node] = (tree[node] as number) + 1;
    inversions += before - smaller;
  }
  return inversions;
}

/** Ranks without ties: equal ones follow each other in the order given. */
function placeTies(ranks: Uint32Array, counts: Uint32Array): Uint32Array {
  const next = new Uint32Array(counts.length);
  for (let rank = 1; rank < next.length; rank++) {
    next[rank] = (next[rank - 1] as number) + (counts[rank - 1] as number);
  }
  const places = new Uint32Array(ranks.length);
  for (let at = 0; at < ranks.length; at++) {
    const rank = ranks[at] as number;
    const place = next[rank] as number;
    places[at] = place;
    next[rank] = place + 1;
  }
  return places;
}

/** Bits of a 32-bit word that are 1, added up in ever wider fields. Source: Warren (2012), "Hacker's Delight", 2nd ed., sec. 5-1. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
