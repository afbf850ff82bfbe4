/**
 * Tail probabilities and quantiles of the normal, t and F distributions.
 *
 * Evaluated by the Cephes library (Moshier 1989) through its incomplete beta function, which also serves fractional degrees of
 * freedom and keeps tiny tail probabilities that 1 - cdf would round to 0.
 */
import { compiled, incbet, ndtr, ndtri } from 'cephes';

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

/** Probability that a standard normal variable lies at least as far from 0 as `z`. */
export function normalTwoSidedP(z: number): number {
  return 2 * ndtr(-Math.abs(z));
}

/** The standard normal quantile at `p`. */
export function normalQuantile(p: number): number {
  return ndtri(p);
}
