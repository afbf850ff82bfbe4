import { noncentralFCdf } from './distributions.ts';

/** Share of the variation that a term explains of what no other term does, with its interval. */
export interface EffectSize {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

/**
 * Partial eta squared of an F test, with the interval that follows from that of the non-centrality.
 *
 * The ends are the non-centralities under which an F as large, or as small, as the observed one has probability (1 - confidence) / 2; each end becomes an eta squared by
 * lambda / (lambda + df1 + df2 + 1). An end that no non-centrality reaches is 0.
 * @param f - observed F, not negative
 * @param confidence - between 0 and 1
 * Source: Steiger (2004), "Beyond the F test", Psychological Methods 9(2), eq. 7 and the section on noncentrality interval estimation.
 */
export function partialEtaSquared(f: number, df1: number, df2: number, confidence: number): EffectSize {
  const tail = (1 - confidence) / 2;
  const share = (noncentrality: number) => noncentrality / (noncentrality + df1 + df2 + 1);
  return {
    value: (df1 * f) / (df1 * f + df2),
    lo: share(solveNoncentrality(f, df1, df2, 1 - tail)),
    hi: share(solveNoncentrality(f, df1, df2, tail)),
  };
}

/** The non-centrality at which the distribution function at `f` is `p`; 0 where it is below `p` already without any. */
function solveNoncentrality(f: number, df1: number, df2: number, p: number): number {
  if (noncentralFCdf(f, df1, df2, 0) <= p) return 0;
  let low = 0;
  let high = Math.max(1, df1 * f);
  // The distribution function falls as the non-centrality rises. Beyond this the share is 1 to six digits.
  while (noncentralFCdf(f, df1, df2, high) > p && high < 1e7 * (df1 + df2 + 1)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1e-8 * high) {
    const middle = (low + high) / 2;
    if (noncentralFCdf(f, df1, df2, middle) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
