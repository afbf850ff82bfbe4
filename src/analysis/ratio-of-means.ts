import { tCritical } from '../student-t.ts';
import { describe } from './moments.ts';

/** How many times as large the mean of one sample is as that of another. */
export interface RatioOfMeans {
  readonly ratio: number;
  /** Ends of its confidence interval and whether its lower end was cut at 0, or why it has none. */
  readonly interval:
    | { readonly lo: number; readonly hi: number; readonly isCut: boolean }
    | { readonly reason: string };
}

/**
 * The ratio of two means with Fieller's interval: the ratios at which a t test of `mean(numerator) - ratio * mean(denominator) = 0` does not reject.
 *
 * Exact for normal values where they are paired, near so where not (Welch's degrees of freedom at the ratio found). Unlike the quotient of two intervals it holds its
 * confidence for a noisy denominator, and says so where a denominator cannot be told from 0.
 * @param numerator, denominator - at least one value each; where `isPaired`, of equal length and in the same order
 * @param isPaired - values at the same place share a condition, such as a block, and so are correlated
 * @param isNonNegative - no value can be below 0, so neither can the ratio: the interval is cut there, which takes no true ratio from it
 * Source: E. C. Fieller (1954), "Some problems in interval estimation", JRSS B 16(2); T. Kalibera, R. Jones (2012), "Quantifying performance changes with effect size
 * confidence intervals", University of Kent TR 4-12, for its use on slowdowns.
 */
export function ratioOfMeans(
  numerator: Float64Array,
  denominator: Float64Array,
  {
    isPaired,
    isNonNegative,
    confidence,
  }: { readonly isPaired: boolean; readonly isNonNegative: boolean; readonly confidence: number },
): RatioOfMeans {
  const [top, bottom] = [describe(numerator), describe(denominator)];
  const ratio = top.mean / bottom.mean;
  if (top.n < 2 || bottom.n < 2) {
    const fewest = Math.min(top.n, bottom.n);
    return { ratio, interval: { reason: `${fewest} ${isPaired ? 'pair' : 'replicate'}: an interval needs two` } };
  }
  const varianceTop = top.sd ** 2 / top.n;
  const varianceBottom = bottom.sd ** 2 / bottom.n;
  const shared = isPaired ? covariance(numerator, denominator) / top.n : 0;
  const df = isPaired ? top.n - 1 : welchDf(varianceTop, top.n, ratio ** 2 * varianceBottom, bottom.n);
  const tSq = tCritical(confidence, df) ** 2;
  // Roots of a r^2 - 2 b r + c = 0, between which no ratio is rejected.
  const a = bottom.mean ** 2 - tSq * varianceBottom;
  const b = top.mean * bottom.mean - tSq * shared;
  const c = top.mean ** 2 - tSq * varianceTop;
  if (!(a > 0)) {
    return { ratio, interval: { reason: 'alone it varies so much between replicates that its mean may be 0' } };
  }
  const root = Math.sqrt(Math.max(0, b * b - a * c));
  const lo = (b - root) / a;
  const isCut = isNonNegative && lo < 0;
  return { ratio, interval: { lo: isCut ? 0 : lo, hi: (b + root) / a, isCut } };
}

function covariance(one: Float64Array, other: Float64Array): number {
  const [meanOne, meanOther] = [describe(one).mean, describe(other).mean];
  const sum = one.reduce((all, value, at) => all + (value - meanOne) * ((other[at] as number) - meanOther), 0);
  return sum / (one.length - 1);
}

/** Degrees of freedom of the sum of two variances of means, by Welch and Satterthwaite. */
function welchDf(varianceA: number, countA: number, varianceB: number, countB: number): number {
  const sum = varianceA + varianceB;
  if (sum === 0) return countA + countB - 2;
  return sum ** 2 / (varianceA ** 2 / (countA - 1) + varianceB ** 2 / (countB - 1));
}
