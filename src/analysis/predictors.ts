import { correlate } from './correlation.ts';
import { chooseScale } from './response-scale.ts';
import type { Configurations, CorrelationOutcome } from './types.ts';

/** How well a figure that is cheap to have tells a served response. */
export interface Prediction {
  readonly predictor: string;
  readonly response: string;
  /** `all`, or `factor=value`. */
  readonly context: string;
  /** Distinct values of the predictor, over which the correlation goes. */
  readonly n: number;
  readonly configurations: number;
  readonly outcome: CorrelationOutcome;
}

/** Columns that cost less than a trial under load: of the model itself, of one inference, of one closed loop. */
export const CHEAP_METRICS: readonly string[] = ['macs', 'params', 'model_size_mb', 'compute_ms', 'capacity_rps'];

/**
 * Correlations of cheap metrics with served responses, over all configurations and within each value of the factors named.
 *
 * Configurations with the same value of the predictor, as all of one model have of its multiply-adds, are taken together as one point, their mean (of logarithms, for times, energies
 * and rates): counted one by one they would pass three models for a hundred observations.
 */
export function findPredictions(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  predictors: readonly string[],
  responses: readonly string[],
  within: readonly string[],
): Prediction[] {
  const groups = [
    { context: 'all', isMember: (_: number) => true },
    ...within.flatMap((factor) => {
      const index = configurations.factors.indexOf(factor);
      return (configurations.levels[index] as readonly string[]).map((level, code) => ({
        context: `${factor}=${level}`,
        isMember: (configuration: number) => configurations.codes[index]?.[configuration] === code,
      }));
    }),
  ];
  return groups.flatMap(({ context, isMember }) =>
    predictors.flatMap((predictor) =>
      responses.flatMap((response): Prediction[] => {
        if (response === predictor) return [];
        const x = means.get(predictor) as Float64Array;
        const y = means.get(response) as Float64Array;
        const isLog = chooseScale(response, y) === 'log';
        const byValue = new Map<number, number[]>();
        for (let index = 0; index < x.length; index++) {
          if (!isMember(index) || Number.isNaN(x[index]) || Number.isNaN(y[index])) continue;
          const value = isLog ? Math.log(y[index] as number) : (y[index] as number);
          const known = byValue.get(x[index] as number);
          if (known === undefined) byValue.set(x[index] as number, [value]);
          else known.push(value);
        }
        const points = [...byValue];
        const total = points.reduce((sum, [, values]) => sum + values.length, 0);
        if (total === 0) return [];
        const outcome =
          points.length < 3
            ? {
                reason: `${predictor} has ${points.length} distinct ${points.length === 1 ? 'value' : 'values'}; a correlation needs 3`,
              }
            : correlate(
                Float64Array.from(points, ([value]) => value),
                Float64Array.from(points, ([, values]) => values.reduce((sum, one) => sum + one, 0) / values.length),
              );
        return [{ predictor, response, context, n: points.length, configurations: total, outcome }];
      }),
    ),
  );
}
