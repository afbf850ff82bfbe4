/**
 * The smallest number of requests from which a percentile may be told at all.
 *
 * So many that, at the given confidence, at most `exceedances` of them would lie above the percentile by chance less often than 1 - `confidence`.
 * With one exceedance and 99 %: p50 11, p90 64, p95 130, p99 662, p99.9 6636.
 * @param percentile - as a share, e.g. 0.99
 * @throws RangeError unless percentile and confidence lie between 0 and 1
 * Source: MLPerf Inference rules, appendix "Early stopping criterion".
 */
export function minimumSample(percentile: number, confidence = 0.99, exceedances = 1): number {
  for (const [name, value] of Object.entries({ percentile, confidence })) {
    if (!(value > 0 && value < 1)) throw new RangeError(`a ${name} of ${value} is not between 0 and 1`);
  }
  const isEnough = (n: number) => fewExceedances(n, percentile, exceedances) <= 1 - confidence;
  let enough = 1;
  while (!isEnough(enough)) enough *= 2;
  let tooFew = Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/** Probability that at most `most` of n independent values lie above their percentile (binomial). */
function fewExceedances(n: number, percentile: number, most: number): number {
  let term = percentile ** n;
  let sum = term;
  for (let count = 1; count <= Math.min(most, n); count++) {
    term *= ((n - count + 1) / count) * ((1 - percentile) / percentile);
    sum += term;
  }
  return sum;
}
