import type { Rng } from '../rng.ts';
import { normalQuantile } from './distributions.ts';
import { chooseScale } from './response-scale.ts';
import type { Configurations } from './types.ts';

/** Where the uncertainty of a configuration's mean is taken from. */
export type UncertaintySource = 'replicates' | 'windows' | 'none';

/** Means of configurations as they could have come out, had the experiment been run again. */
export interface MeanSampler {
  /** Of the first response for which there is any. */
  readonly sources: readonly UncertaintySource[];
  /** One set of means by response, each one value per configuration, NaN where it has none. */
  draw(rng: Rng): ReadonlyMap<string, Float64Array>;
}

/** One response of the table by row, and the interval within its trial where the table has one. */
export interface SampledResponse {
  readonly name: string;
  readonly values: Float64Array;
  readonly interval: { readonly lo: Float64Array; readonly hi: Float64Array } | undefined;
}

/**
 * Draws means by the Bayesian bootstrap over the replicates of each configuration, all responses of a replicate with the same weight; a single replicate is moved within the interval
 * of its windows instead, and one without such an interval stays.
 *
 * Deviations are widened by sqrt((n + 1) / (n - 1)), so that the variance of a drawn mean is that of the mean, s^2 / n, however few replicates there are. Times, energies and rates
 * are drawn on a log scale. Two replicates tell little about their spread, and no bootstrap makes up for that.
 * @param confidence - of the intervals in the table
 * Source: Rubin (1981), "The Bayesian bootstrap", The Annals of Statistics 9(1).
 */
export function createMeanSampler(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  responses: readonly SampledResponse[],
  confidence: number,
): MeanSampler {
  const { count, offsets, rows } = configurations;
  const z = normalQuantile((1 + confidence) / 2);
  const prepared = responses.map((response) => ({
    ...prepare(response, rows, z),
    name: response.name,
    means: means.get(response.name) as Float64Array,
  }));
  const from = (configuration: number) => offsets[configuration] as number;
  const replicates = (configuration: number) => from(configuration + 1) - from(configuration);
  const sources = Array.from({ length: count }, (_, configuration): UncertaintySource => {
    if (replicates(configuration) > 1) return 'replicates';
    if (replicates(configuration) === 0) return 'none';
    return prepared.some(({ sds }) => (sds[from(configuration)] as number) > 0) ? 'windows' : 'none';
  });
  return {
    sources,
    draw: (rng) => {
      // Every response sees the same weights, so that what a replicate shares stays shared.
      const weights = Float64Array.from(rows, () => rng.exponential(1));
      return new Map(
        prepared.map((response) => {
          const drawn = response.means.slice();
          for (let configuration = 0; configuration < count; configuration++) {
            const mean = drawn[configuration] as number;
            if (sources[configuration] === 'none' || Number.isNaN(mean)) continue;
            const start = from(configuration);
            const shift =
              sources[configuration] === 'windows'
                ? (response.sds[start] as number) * rng.normal()
                : weightedShift(response.scaled, weights, start, from(configuration + 1));
            drawn[configuration] = response.isLog ? mean * Math.exp(shift) : mean + shift;
          }
          return [response.name, drawn];
        }),
      );
    },
  };
}

/** Values in the order of `rows` on the scale they are drawn on, and the standard error each has by itself, 0 where unknown. */
function prepare({ name, values, interval }: SampledResponse, rows: Int32Array, z: number) {
  const present = Float64Array.from(rows, (row) => values[row] as number);
  const isLog = chooseScale(name, present) === 'log';
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const sds = Float64Array.from(rows, (row) => {
    const width = onScale(interval?.hi[row] as number) - onScale(interval?.lo[row] as number);
    return Number.isFinite(width) ? Math.abs(width) / (2 * z) : 0;
  });
  return { isLog, scaled: present.map(onScale), sds };
}

/** How far the weighted mean of some replicates lies from their plain mean, widened; 0 where fewer than two have the value. */
function weightedShift(scaled: Float64Array, weights: Float64Array, start: number, end: number): number {
  let n = 0;
  let total = 0;
  let sum = 0;
  let weighted = 0;
  let isConstant = true;
  let first = Number.NaN;
  for (let at = start; at < end; at++) {
    const value = scaled[at] as number;
    if (Number.isNaN(value)) continue;
    if (n === 0) first = value;
    else if (value !== first) isConstant = false;
    n++;
    sum += value;
    total += weights[at] as number;
    weighted += (weights[at] as number) * value;
  }
  // Replicates that agree must stay level with their equals, whatever rounding would do.
  return n < 2 || isConstant ? 0 : Math.sqrt((n + 1) / (n - 1)) * (weighted / total - sum / n);
}
