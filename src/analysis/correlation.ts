import { normalTwoSidedP, tTwoSidedP } from './distributions.ts';
import { describe } from './moments.ts';
import { rank, sortedOrder, tieSizes } from './ranks.ts';
import type { Coefficient, CorrelationOutcome } from './types.ts';

/**
 * Pearson's r, Spearman's rho and Kendall's tau-b of paired values, each with a two-sided p-value, in O(n log n).
 *
 * @returns the coefficients, or the reason why there are none: fewer than three pairs, or values that are all equal
 */
export function correlate(x: Float64Array, y: Float64Array): CorrelationOutcome {
  if (x.length !== y.length) throw new RangeError(`${x.length} values against ${y.length}; pairs need as many of each`);
  if (x.length < 3) return { reason: `${x.length} matched configurations; a correlation needs 3` };
  if (isConstant(x) && isConstant(y)) return { reason: 'all values are equal on both sides' };
  if (isConstant(x)) return { reason: 'all values are equal on side a' };
  if (isConstant(y)) return { reason: 'all values are equal on side b' };
  return { pearson: pearson(x, y), spearman: spearman(x, y), kendall: kendall(x, y) };
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

function pearson(x: Float64Array, y: Float64Array): Coefficient {
  const value = productMoment(x, y);
  return { value, p: productMomentP(value, x.length), method: 't' };
}

/** Pearson's r of values of which neither side is constant. */
function productMoment(x: Float64Array, y: Float64Array): number {
  const unitX = standardize(x);
  const unitY = standardize(y);
  let sum = 0;
  for (let index = 0; index < x.length; index++) sum += (unitX[index] as number) * (unitY[index] as number);
  // Rounding may carry a perfect correlation beyond 1.
  return Math.max(-1, Math.min(1, sum));
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

/** Source: Student's t with n - 2 degrees of freedom, exact where one side is normal. */
function productMomentP(r: number, n: number): number {
  const df = n - 2;
  const unexplained = 1 - r * r;
  return unexplained <= 0 ? 0 : tTwoSidedP(r * Math.sqrt(df / unexplained), df);
}

/** Up to here every order of n ranks can be tried at once (362,880). */
const LARGEST_EXACT_SPEARMAN = 9;

/** p is exact for up to nine pairs without ties, and that of Student's t otherwise. */
function spearman(x: Float64Array, y: Float64Array): Coefficient {
  const ranksX = rank(x);
  const ranksY = rank(y);
  const value = productMoment(ranksX, ranksY);
  const n = x.length;
  const isTied = tieSizes(ranksX.toSorted()).length > 0 || tieSizes(ranksY.toSorted()).length > 0;
  if (n > LARGEST_EXACT_SPEARMAN || isTied) return { value, p: productMomentP(value, n), method: 't' };
  let distance = 0;
  for (let index = 0; index < n; index++) distance += ((ranksX[index] as number) - (ranksY[index] as number)) ** 2;
  return { value, p: exactSpearmanP(distance, n), method: 'exact' };
}

/**
 * Probability that n ranks in random order are at least as strongly correlated, in either direction, as at this sum of squared differences.
 *
 * The sum is symmetric about (n^3 - n) / 6, where rho is 0.
 */
function exactSpearmanP(distance: number, n: number): number {
  const frequencies = spearmanFrequencies(n);
  const centre = (n ** 3 - n) / 6;
  let extreme = 0;
  let all = 0;
  for (const [sum, frequency] of frequencies.entries()) {
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
function kendall(x: Float64Array, y: Float64Array): Coefficient {
  const n = x.length;
  const order = sortedOrder(y);
  // Both sorts are stable, so that pairs tied in x come in the order of y and add no inversion.
  const byX = order.sort((a, b) => (x[a] as number) - (x[b] as number));
  const ySequence = Float64Array.from(byX, (index) => y[index] as number);
  const xSequence = Float64Array.from(byX, (index) => x[index] as number);

  const pairs = (n * (n - 1)) / 2;
  const tiesX = tieSizes(xSequence);
  const tiesBoth = jointTieSizes(xSequence, ySequence);
  const discordant = sortCountingInversions(ySequence);
  const tiesY = tieSizes(ySequence);
  const tiedX = countPairs(tiesX);
  const tiedY = countPairs(tiesY);
  const concordant = pairs - tiedX - tiedY + countPairs(tiesBoth) - discordant;
  const value = (concordant - discordant) / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY);
  const bounded = Math.max(-1, Math.min(1, value));

  if (tiedX === 0 && tiedY === 0 && n <= LARGEST_EXACT_KENDALL) {
    return { value: bounded, p: exactKendallP(discordant, n), method: 'exact' };
  }
  const sd = Math.sqrt(tiedKendallVariance(n, tiesX, tiesY));
  return { value: bounded, p: normalTwoSidedP((concordant - discordant) / sd), method: 'normal' };
}

function countPairs(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
}

/** Sizes of the groups of neighbours that are equal in both sequences. */
function jointTieSizes(x: Float64Array, y: Float64Array): number[] {
  const groups = new Float64Array(x.length);
  let group = 0;
  for (let index = 1; index < x.length; index++) {
    if (x[index] !== x[index - 1] || y[index] !== y[index - 1]) group++;
    groups[index] = group;
  }
  return tieSizes(groups);
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

/** Sorts in place by merging and returns how many pairs were out of order; equal values are not. */
function sortCountingInversions(values: Float64Array): number {
  let inversions = 0;
  let source: Float64Array = values;
  let target: Float64Array = new Float64Array(values.length);
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      inversions += mergeCounting(
        source,
        target,
        start,
        Math.min(start + width, values.length),
        Math.min(start + 2 * width, values.length),
      );
    }
    [source, target] = [target, source];
  }
  if (source !== values) values.set(source);
  return inversions;
}

function mergeCounting(source: Float64Array, target: Float64Array, start: number, middle: number, end: number): number {
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
