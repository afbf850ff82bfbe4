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
  readonly ties: readonly number[];
}

/** What can be worked out about one side alone, the sorting above all. */
export function prepareSide(values: Float64Array): Side {
  const n = values.length;
  const ranked = rankDensely(values);
  if (ranked.counts.length < 2) return { n, shape: undefined };
  const ties = [...ranked.counts.filter((count) => count > 1)];
  return {
    n,
    shape: { unitValues: standardize(values), unitRanks: standardize(shareRanks(ranked)), ranked, ties },
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
  const { mean } = describe(values);
  const deviations = values.map((value) => value - mean);
  const largest = deviations.reduce((most, deviation) => Math.max(most, Math.abs(deviation)), 0);
  const scaled = deviations.map((deviation) => deviation / largest);
  const length = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0));
  return scaled.map((value) => value / length);
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
  // By x, and by y where x is tied, so that pairs tied in x come in the order of y and add no inversion.
  const order = sortByRank(sortByRank(indicesUpTo(n), y.ranked), x.ranked);
  const tiedBoth = countJointPairs(order, x.ranked.ranks, y.ranked.ranks);
  const discordant = sortCountingInversions(order.map((index) => y.ranked.ranks[index] as number));
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

/** Pairs that are tied in both x and y; in this order they are neighbours. */
function countJointPairs(order: Uint32Array, x: Uint32Array, y: Uint32Array): number {
  let pairs = 0;
  let size = 1;
  for (let at = 1; at < order.length; at++) {
    const index = order[at] as number;
    const previous = order[at - 1] as number;
    size = x[index] === x[previous] && y[index] === y[previous] ? size + 1 : 1;
    pairs += size - 1;
  }
  return pairs;
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

/** How many pairs are out of order, equal values being in order; leaves the values as they fall (merge sort). */
function sortCountingInversions(values: Uint32Array): number {
  let inversions = 0;
  let source: Uint32Array = values;
  let target: Uint32Array = new Uint32Array(values.length);
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      inversions += mergeCounting(source, target, start, middle, Math.min(start + 2 * width, values.length));
    }
    [source, target] = [target, source];
  }
  return inversions;
}

function mergeCounting(source: Uint32Array, target: Uint32Array, start: number, middle: number, end: number): number {
  let inversions = 0;
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    if (left < middle && (right >= end || (source[left] as number) <= (source[right] as number))) {
      target[at] = source[left++] as number;
    } else {
      inversions += middle - left;
      target[at] = source[right++] as number;
    }
  }
  return inversions;
}
