/**
 * The percentiles that are reported, each with the requests it takes.
 *
 * Below the minimum the percentile is not estimable at 99 % confidence, one exceedance allowed.
 * Source: MLPerf LoadGen, early_stopping.cc (the smallest n for which one value beyond the percentile passes its test).
 */
export const PERCENTILES = [
  { name: 'p50', perMille: 500, minSample: 11 },
  { name: 'p90', perMille: 900, minSample: 64 },
  { name: 'p95', perMille: 950, minSample: 130 },
  { name: 'p99', perMille: 990, minSample: 662 },
  { name: 'p999', perMille: 999, minSample: 6636 },
] as const;

/** Nearest-rank percentile of an ascending array: its smallest value that at least so many thousandths of all do not exceed. NaN where it is empty. */
export function nearestRank(ascending: Float64Array, perMille: number): number {
  // Counted in thousandths: 0.999 * n would round.
  return ascending[Math.max(1, Math.ceil((ascending.length * perMille) / 1000)) - 1] ?? Number.NaN;
}
