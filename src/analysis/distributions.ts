/**
 * Tail probabilities and quantiles of the normal, t and F distributions.
 *
 * Evaluated by the Cephes library (Moshier 1989) through its incomplete beta function, which also serves fractional degrees of
 * freedom and keeps tiny tail probabilities that 1 - cdf would round to 0.
 */
import { compiled, incbet, lgam, ndtr, ndtri } from 'cephes';

// The library is WebAssembly; once compiled, every call is synchronous.
await compiled;

/** Probability that a t variable with `df` degrees of freedom lies at least as far from 0 as `t`. */
export function tTwoSidedP(t: number, df: number): number {
  return incbet(df / 2, 0.5, df / (df + t * t));
}

/** Probability that an F variable with `df1` and `df2` degrees of freedom exceeds `f`. */
export function fUpperP(f: number, df1: number, df2: number): number {
  return incbet(df2 / 2, df1 / 2, df2 / (df2 + df1 * f));
}

/**
 * Probability that a non-central F variable with `df1` and `df2` degrees of freedom and this non-centrality is at most `f`.
 *
 * A mixture of central beta distributions with Poisson weights, summed outwards from the heaviest weight until what is left cannot matter.
 * Source: Johnson, Kotz, Balakrishnan (1995), "Continuous Univariate Distributions", vol. 2, 2nd ed., ch. 30, eq. 30.10.
 */
export function noncentralFCdf(f: number, df1: number, df2: number, noncentrality: number): number {
  const x = (df1 * f) / (df1 * f + df2);
  const mean = noncentrality / 2;
  if (mean === 0) return incbet(df1 / 2, df2 / 2, x);
  const centre = Math.floor(mean);
  // Weights of a large mean change slowly, so that every so many of them stand for those between: four to a standard deviation leave no error that a number could hold.
  const stride = Math.max(1, Math.floor(Math.sqrt(mean) / 4));
  const logWeight = (j: number) => j * Math.log(mean) - lgam(j + 1);
  const peak = logWeight(centre);
  let sum = 0;
  let weights = 0;
  const add = (j: number): boolean => {
    const weight = Math.exp(logWeight(j) - peak);
    weights += weight;
    sum += weight * incbet(df1 / 2 + j, df2 / 2, x);
    return weight > 1e-17;
  };
  for (let j = centre; add(j); ) j += stride;
  for (let j = centre - stride; j >= 0 && add(j); ) j -= stride;
  return Math.min(1, sum / weights);
}

/** Probability that a standard normal variable lies at least as far from 0 as `z`. */
export function normalTwoSidedP(z: number): number {
  return 2 * ndtr(-Math.abs(z));
}

/** The standard normal quantile at `p`. */
export function normalQuantile(p: number): number {
  return ndtri(p);
}
