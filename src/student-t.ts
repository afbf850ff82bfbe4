import { compiled, incbi } from 'cephes';

// The library is WebAssembly; once compiled, every call is synchronous.
await compiled;

/** The t value that a t variable with `df` degrees of freedom exceeds in absolute value with probability 1 - `confidence`. */
export function tCritical(confidence: number, df: number): number {
  const x = incbi(df / 2, 0.5, 1 - confidence);
  return Math.sqrt((df * (1 - x)) / x);
}
