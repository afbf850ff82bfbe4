import { correlationInterval } from './coefficient-intervals.ts';
import { findConsistency } from './consistency.ts';
import { compareInfluence } from './influence.ts';
import { levelsOf, orEmpty } from './table-cells.ts';
import { findInvalidOverlap, findTransfers, PREDICTION_ERROR } from './transfer.ts';
import type { Analysis, CorrelationOutcome, ResultTable } from './types.ts';

/** `consistency.csv`: is a response consistent across contexts. */
export function tabulateConsistency(analysis: Analysis): ResultTable {
  const { sources, options, correlations } = analysis;
  const { confidence } = options;
  const key = (one: { response: string; context: string; a: string; b: string }) =>
    JSON.stringify([one.response, one.context, one.a, one.b]);
  const known = new Map(correlations.map((one) => [key(one), one.outcome]));
  return {
    columns: [
      ...['response', 'context', 'a', 'b', 'n', 'confidence'],
      ...['pearson', 'pearson_lo', 'pearson_hi', 'spearman', 'spearman_lo', 'spearman_hi'],
      ...['kendall', 'kendall_lo', 'kendall_hi'],
      ...['scale', 'slope', 'slope_lo', 'slope_hi', 'intercept', 'intercept_lo', 'intercept_hi'],
      ...['residual_sd', 'r_squared', 'ks', 'kl', 'empty_because'],
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const one of sources.flatMap(({ configurations, outcomeMeans, contexts }) =>
          findConsistency(configurations, outcomeMeans, contexts, confidence),
        )) {
          const { response, context, a, b, n, scale, line, distances } = one;
          const outcome = known.get(key(one));
          yield [
            ...[response, context, a, b, n, confidence],
            ...correlationCells(outcome, n, confidence),
            scale,
            ...cells(line?.slope),
            ...cells(line?.intercept),
            orEmpty(line?.residualSd),
            line?.rSquared,
            distances?.ks,
            distances?.kl,
            outcome !== undefined && 'reason' in outcome ? outcome.reason : undefined,
          ];
        }
      },
    },
  };
}

type Cells = (number | undefined)[];

function cells(interval: { readonly value: number; readonly lo: number; readonly hi: number } | undefined): Cells {
  return [orEmpty(interval?.value), orEmpty(interval?.lo), orEmpty(interval?.hi)];
}

/** Three coefficients with their intervals. */
export function correlationCells(outcome: CorrelationOutcome | undefined, n: number, confidence: number): Cells {
  return (['pearson', 'spearman', 'kendall'] as const).flatMap((kind) => {
    if (outcome === undefined || 'reason' in outcome) return cells(undefined);
    const { value } = outcome[kind];
    return cells({ value, ...correlationInterval(kind, value, n, confidence) });
  });
}

/** `influence.csv`: do factors, and interactions, keep their influence across contexts. */
export function tabulateInfluence({ effects, options }: Analysis): ResultTable {
  return {
    columns: [
      ...['response', 'context', 'a', 'b', 'kind', 'n', 'confidence'],
      ...['pearson', 'pearson_lo', 'pearson_hi', 'spearman', 'spearman_lo', 'spearman_hi'],
      ...['clear', 'same_sign', 'same_sign_share', 'same_sign_lo', 'same_sign_hi'],
      ...['terms', 'significant_a', 'significant_b', 'significant_both', 'importance_spearman', 'empty_because'],
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const one of compareInfluence(effects, options.contexts, options.confidence)) {
          const { correlation, clear, sameSign } = one;
          const has = !('reason' in correlation);
          yield [
            ...[one.response, one.context, one.a, one.b, one.kind, one.n, options.confidence],
            ...cells(has ? { value: correlation.pearson.value, ...one.pearsonEnds } : undefined),
            ...cells(has ? { value: correlation.spearman.value, ...one.spearmanEnds } : undefined),
            ...[clear, sameSign, clear === undefined || clear === 0 ? undefined : (sameSign as number) / clear],
            ...[orEmpty(one.sameSignEnds.lo), orEmpty(one.sameSignEnds.hi)],
            ...[one.terms, one.significantA, one.significantB, one.significantBoth, one.rankCorrelation],
            has ? undefined : correlation.reason,
          ];
        }
      },
    },
  };
}

/** `invalid-overlap.csv`: are configurations that could not be measured at one value of a context so at another. */
export function tabulateInvalidOverlap({ configurations, options }: Analysis): ResultTable {
  return {
    columns: [
      'context',
      'a',
      'b',
      'n',
      'invalid_a',
      'invalid_b',
      'invalid_both',
      'also_invalid_b',
      'also_invalid_b_lo',
      'also_invalid_b_hi',
    ],
    rows: findInvalidOverlap(configurations, options.contexts, options.confidence).map((one) => [
      ...[one.context, one.a, one.b, one.n, one.invalidA, one.invalidB, one.both],
      one.invalidA === 0 ? undefined : one.both / one.invalidA,
      orEmpty(one.lo),
      orEmpty(one.hi),
    ]),
  };
}

/** `transfer.csv`: what the best configuration of one value of a context is worth at another. */
export function tabulateTransfer(analysis: Analysis): ResultTable {
  const { configurations, options } = analysis;
  const { contexts } = options;
  const others = configurations.factors;
  return {
    columns: [
      ...['response', 'context', 'from', 'to', 'n', 'regret', 'regret_lo', 'regret_hi', 'confidence'],
      ...['carried_value', 'best_value', 'meets_constraints', 'top_k', 'top_k_overlap', 'front_overlap'],
      ...['measurements', 'measurements_saved', 'prediction_error'],
      ...others.map((factor) => `carried_${factor}`),
      ...others.map((factor) => `best_${factor}`),
      'empty_because',
    ],
    rows: {
      *[Symbol.iterator]() {
        if (contexts.length === 0) return;
        for (const { response, context, from, to, n, outcome } of findTransfers({ ...analysis, ...options })) {
          const start = [response, context, from, to, n];
          if ('reason' in outcome) {
            yield [...start, ...new Array<undefined>(13 + 2 * others.length).fill(undefined), outcome.reason];
            continue;
          }
          const isShare = Number.isFinite(outcome.regret);
          yield [
            ...start,
            ...(isShare
              ? cells({ value: outcome.regret, lo: outcome.regretLo, hi: outcome.regretHi })
              : cells(undefined)),
            options.confidence,
            ...[outcome.carriedValue, outcome.bestValue, outcome.meetsConstraints],
            ...[outcome.topK, outcome.topKOverlap, outcome.frontOverlap],
            ...[outcome.needed, outcome.needed === undefined ? undefined : n - outcome.needed, PREDICTION_ERROR],
            ...levelsOf(configurations, outcome.carried),
            ...levelsOf(configurations, outcome.best),
            isShare ? undefined : 'the best value is 0, of which nothing is a share',
          ];
        }
      },
    },
  };
}
