import { normalQuantile } from './distributions.ts';

/** The ends of an interval; NaN where there are too few pairs. */
export interface Ends {
  readonly lo: number;
  readonly hi: number;
}

/** Variance of the inverse hyperbolic tangent of each coefficient for n pairs, at a value. */
const VARIANCE = {
  pearson: (n: number) => 1 / (n - 3),
  spearman: (n: number, value: number) => (1 + value ** 2 / 2) / (n - 3),
  kendall: (n: number) => 0.437 / (n - 4),
} as const;

/**
 * Interval of a correlation coefficient from n pairs, by Fisher's transformation; needs five pairs. `benchmarks/analysis-coverage.ts` prints how often it holds the truth of normal pairs.
 *
 * Source: Fisher (1921), "On the probable error of a coefficient of correlation", Metron 1; Bonett, Wright (2000), "Sample size requirements for estimating Pearson, Kendall
 * and Spearman correlations", Psychometrika 65 (Spearman); Fieller, Hartley, Pearson (1957), "Tests for rank correlation coefficients. I", Biometrika 44 (Kendall).
 */
export function correlationInterval(kind: keyof typeof VARIANCE, value: number, n: number, confidence: number): Ends {
  if (n < 5) return { lo: Number.NaN, hi: Number.NaN };
  const halfWidth = normalQuantile((1 + confidence) / 2) * Math.sqrt(VARIANCE[kind](n, value));
  const z = Math.atanh(Math.max(-1, Math.min(1, value)));
  // A correlation of 1 has no width on this scale.
  return Number.isFinite(z) ? { lo: Math.tanh(z - halfWidth), hi: Math.tanh(z + halfWidth) } : { lo: value, hi: value };
}

/**
 * Wilson's score interval of a share of successes; NaN without trials.
 *
 * Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical Association 22.
 */
export function shareInterval(successes: number, trials: number, confidence: number): Ends {
  if (trials === 0) return { lo: Number.NaN, hi: Number.NaN };
  const z = normalQuantile((1 + confidence) / 2);
  const share = successes / trials;
  const centre = (share + z ** 2 / (2 * trials)) / (1 + z ** 2 / trials);
  const halfWidth =
    (z / (1 + z ** 2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  return { lo: Math.max(0, centre - halfWidth), hi: Math.min(1, centre + halfWidth) };
}
