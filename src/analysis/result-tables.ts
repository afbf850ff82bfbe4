import { tabulateEffects, tabulateSimpleEffects } from './effect-tables.ts';
import type { Analysis, Configurations, ResultTable } from './types.ts';

/** Every file of an analysis by its name. To add one, add a line. */
export const RESULT_TABLES: Readonly<Record<string, (analysis: Analysis) => ResultTable>> = {
  'pareto.csv': tabulateFronts,
  'summary.csv': tabulateSummaries,
  'correlations.csv': tabulateCorrelations,
  'effects.csv': tabulateEffects,
  'simple-effects.csv': tabulateSimpleEffects,
};

/** `pareto.csv`: every configuration once per front. */
export function tabulateFronts({ configurations, fronts, leftOut, means, options }: Analysis): ResultTable {
  const reasons = new Map(leftOut.map(({ configuration, reason }) => [configuration, reason]));
  const objectives = options.objectives.map(({ response }) => means.get(response) as Float64Array);
  return {
    columns: [
      'front',
      'on_front',
      ...configurations.factors,
      ...options.objectives.map(({ response }) => response),
      'replicates',
      'left_out_because',
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const { name, members, onFront } of fronts) {
          for (const [place, configuration] of members.entries()) {
            yield [
              name,
              onFront[place] === 1,
              ...levelsOf(configurations, configuration),
              ...objectives.map((values) => orEmpty(values[configuration] as number)),
              (configurations.offsets[configuration + 1] as number) - (configurations.offsets[configuration] as number),
              reasons.get(configuration),
            ];
          }
        }
      },
    },
  };
}

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
    columns: [...configurations.factors, 'response', 'n', 'mean', 'sd', 'lo', 'hi', 'min', 'max', 'method'],
    rows: {
      *[Symbol.iterator]() {
        for (const { configuration, response, n, mean, spread, min, max, method } of summaries) {
          yield [
            ...levelsOf(configurations, configuration),
            response,
            n,
            mean,
            spread?.sd,
            spread?.lo,
            spread?.hi,
            min,
            max,
            method,
          ];
        }
      },
    },
  };
}

/** Level names of one configuration, in the order of the factors. */
export function levelsOf({ codes, levels }: Configurations, configuration: number): string[] {
  return codes.map((ofFactor, factor) => levels[factor]?.[ofFactor[configuration] as number] as string);
}

function orEmpty(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
