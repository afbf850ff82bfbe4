/** Count, mean and spread of some values. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, n - 1 in the denominator; NaN below two values. */
  readonly sd: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Mean and sample standard deviation in two passes, each corrected for the rounding of the one before.
 *
 * Empty cells (NaN) are passed over; n is 0 and everything else NaN where nothing is left.
 * Source: Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", The American Statistician 37(3), eq. 1.7.
 */
export function describe(values: Float64Array): Moments {
  let n = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    n++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (n === 0) return { n, mean: Number.NaN, sd: Number.NaN, min: Number.NaN, max: Number.NaN };

  const roughMean = sum / n;
  let residual = 0;
  let squares = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const deviation = value - roughMean;
    residual += deviation;
    squares += deviation * deviation;
  }
  // Without this, rounding of the mean could leave a spread, or a mean beyond the range, where all values are equal.
  if (min === max) return { n, mean: min, sd: n > 1 ? 0 : Number.NaN, min, max };
  return {
    n,
    mean: roughMean + residual / n,
    sd: Math.sqrt(Math.max(0, squares - (residual * residual) / n) / (n - 1)),
    min,
    max,
  };
}
