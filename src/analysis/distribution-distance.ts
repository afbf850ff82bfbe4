/**
 * Kolmogorov-Smirnov distance: the largest difference between the distribution functions of two samples.
 *
 * @param a - ascending
 * @param b - ascending
 * Source: Smirnov (1948), "Table for estimating the goodness of fit of empirical distributions", The Annals of Mathematical Statistics 19(2).
 */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && (a[i] as number) <= value) i++;
    while (j < b.length && (b[j] as number) <= value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/**
 * Kullback-Leibler divergence of b from a in nats, over a histogram of ceil(sqrt(n)) equal bins across both samples, half a count added to each bin so that it is finite.
 *
 * Says how different two distributions are, not how sure that is; depends on the bins.
 * @param a - ascending
 * @param b - ascending
 * Source: Kullback, Leibler (1951), "On information and sufficiency", The Annals of Mathematical Statistics 22(1); half counts are Jeffreys' prior.
 */
export function kullbackLeibler(a: Float64Array, b: Float64Array): number {
  const low = Math.min(a[0] as number, b[0] as number);
  const range = Math.max(a.at(-1) as number, b.at(-1) as number) - low;
  if (range === 0) return 0;
  const bins = Math.ceil(Math.sqrt(Math.min(a.length, b.length)));
  const shares = [a, b].map((sample) => {
    const counts = new Float64Array(bins).fill(0.5);
    for (const value of sample) {
      const bin = Math.min(bins - 1, Math.floor(((value - low) / range) * bins));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts.map((count) => count / (sample.length + bins / 2));
  }) as [Float64Array, Float64Array];
  return shares[0].reduce((sum, p, bin) => sum + p * Math.log(p / (shares[1][bin] as number)), 0);
}
