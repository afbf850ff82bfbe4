import { tabulateConsistency, tabulateInfluence, tabulateInvalidOverlap, tabulateTransfer } from './context-tables.ts';
import { tabulateEffects, tabulateSimpleEffects } from './effect-tables.ts';
import { tabulateFrontSummaries, tabulateFronts } from './front-tables.ts';
import { tabulateInterference } from './interference-table.ts';
import { tabulateLoadCurves, tabulatePredictors, tabulateScaling } from './scaling-tables.ts';
import { levelsOf } from './table-cells.ts';
import type { Analysis, ResultTable } from './types.ts';

/** Every file of an analysis by its name. To add one, add a line. */
export const RESULT_TABLES: Readonly<Record<string, (analysis: Analysis) => ResultTable>> = {
  'pareto.csv': tabulateFronts,
  'fronts.csv': tabulateFrontSummaries,
  'summary.csv': tabulateSummaries,
  'correlations.csv': tabulateCorrelations,
  'effects.csv': tabulateEffects,
  'simple-effects.csv': tabulateSimpleEffects,
  'consistency.csv': tabulateConsistency,
  'influence.csv': tabulateInfluence,
  'invalid-overlap.csv': tabulateInvalidOverlap,
  'transfer.csv': tabulateTransfer,
  'predictors.csv': tabulatePredictors,
  'scaling.csv': tabulateScaling,
  'load-curves.csv': tabulateLoadCurves,
  'interference.csv': tabulateInterference,
};

/** `correlations.csv`: one row per response and pair of values of a context. */
export function tabulateCorrelations({ correlations }: Analysis): ResultTable {
  return {
    columns: [
      'response',
      'context',
      'a',
      'b',
      'n',
      'pearson',
      'pearson_p',
      'spearman',
      'spearman_p',
      'spearman_p_method',
      'kendall',
      'kendall_p',
      'kendall_p_method',
      'empty_because',
    ],
    rows: correlations.map(({ response, context, a, b, n, outcome }) => {
      const start = [response, context, a, b, n];
      if ('reason' in outcome) return [...start, ...new Array<undefined>(8).fill(undefined), outcome.reason];
      const { pearson, spearman, kendall } = outcome;
      return [
        ...start,
        pearson.value,
        pearson.p,
        spearman.value,
        spearman.p,
        spearman.method,
        kendall.value,
        kendall.p,
        kendall.method,
        undefined,
      ];
    }),
  };
}

/** `summary.csv`: one row per configuration and response. */
export function tabulateSummaries({ configurations, summaries }: Analysis): ResultTable {
  return {
    columns: [...configurations.factors, 'response', 'n', 'mean', 'sd', 'estimate', 'lo', 'hi', 'min', 'max', 'method'],
    rows: {
      *[Symbol.iterator]() {
        for (const { configuration, response, n, mean, sd, interval, min, max, method } of summaries) {
          yield [
            ...levelsOf(configurations, configuration),
            response,
            n,
            mean,
            sd,
            interval?.estimate,
            interval?.lo,
            interval?.hi,
            min,
            max,
            method,
          ];
        }
      },
    },
  };
}
