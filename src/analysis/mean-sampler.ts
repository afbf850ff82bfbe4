import type { Rng } from '../rng.ts';
import { normalQuantile } from './distributions.ts';
import { describe } from './moments.ts';
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
 * The spread s between replicates holds that within a trial already, so replicates are not moved within their windows as well: that would count it twice. But few replicates may agree
 * by chance, and no mean is surer than its windows let it be: where s^2 is below w^2, the mean square of the standard errors that the windows give, a normal with the variance (w^2 - s^2) / n
 * is added. That puts max(s^2, w^2) for s^2, the estimate of a random-effects analysis of variance whose component between trials is not let below 0; where windows are
 * all there is, draws spread somewhat too widely. Replicates that agree exactly hold a property that does not vary, and stay.
 *
 * Deviations are widened by sqrt((n + 1) / (n - 1)), so that the variance of a drawn mean is that of the mean, s^2 / n, however few replicates there are. Times, energies and rates
 * are drawn on a log scale. Two replicates tell little about their spread, and no bootstrap makes up for that.
 * @param confidence - of the intervals in the table
 * @param launches - per row of the table: trials of one launch have one weight, because what a launch has of its own is in all of them
 * Sources: Rubin (1981), "The Bayesian bootstrap", The Annals of Statistics 9(1); Davison, Hinkley (1997), "Bootstrap Methods and their Application", sec. 3.8 (why a second level of
 * resampling adds its variance anew); Searle, Casella, McCulloch (1992), "Variance Components", ch. 3 (estimates that are not let below 0).
 */
export function createMeanSampler(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  responses: readonly SampledResponse[],
  confidence: number,
  launches?: Int32Array,
): MeanSampler {
  const { count, offsets, rows } = configurations;
  const z = normalQuantile((1 + confidence) / 2);
  const prepared = responses.map((response) => ({
    ...prepare(response, configurations, z),
    name: response.name,
    means: means.get(response.name) as Float64Array,
  }));
  const from = (configuration: number) => offsets[configuration] as number;
  const replicates = (configuration: number) => from(configuration + 1) - from(configuration);
  const sources = Array.from({ length: count }, (_, configuration): UncertaintySource => {
    if (replicates(configuration) > 1) return 'replicates';
    if (replicates(configuration) === 0) return 'none';
    return prepared.some(({ missingSds }) => (missingSds[configuration] as number) > 0) ? 'windows' : 'none';
  });
  return {
    sources,
    draw: (rng) => {
      // Every response sees the same weights, so that what a replicate shares stays shared.
      const weights = drawWeights(rows, launches, rng);
      return new Map(
        prepared.map((response) => {
          const drawn = response.means.slice();
          for (let configuration = 0; configuration < count; configuration++) {
            const mean = drawn[configuration] as number;
            if (sources[configuration] === 'none' || Number.isNaN(mean)) continue;
            const sd = response.missingSds[configuration] as number;
            const moved = sources[configuration] === 'windows' || sd > 0 ? sd * rng.normal() : 0;
            const shift = moved + weightedShift(response.scaled, weights, from(configuration), from(configuration + 1));
            drawn[configuration] = response.isLog ? mean * Math.exp(shift) : mean + shift;
          }
          return [response.name, drawn];
        }),
      );
    },
  };
}

function drawWeights(rows: Int32Array, launches: Int32Array | undefined, rng: Rng): Float64Array {
  if (launches === undefined) return Float64Array.from(rows, () => rng.exponential(1));
  const known = new Map<number, number>();
  return Float64Array.from(rows, (row) => {
    const launch = launches[row] as number;
    const weight = known.get(launch) ?? rng.exponential(1);
    known.set(launch, weight);
    return weight;
  });
}

/** Values in the order of `rows` on the scale they are drawn on, and by configuration the standard error of its mean that the windows ask for beyond the spread of its replicates. */
function prepare({ name, values, interval }: SampledResponse, { count, offsets, rows }: Configurations, z: number) {
  const present = Float64Array.from(rows, (row) => values[row] as number);
  const isLog = chooseScale(name, present) === 'log';
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const scaled = present.map(onScale);
  const missingSds = new Float64Array(count);
  if (interval === undefined) return { isLog, scaled, missingSds };
  const sds = Float64Array.from(rows, (row) => {
    const width = onScale(interval.hi[row] as number) - onScale(interval.lo[row] as number);
    return Number.isFinite(width) ? Math.abs(width) / (2 * z) : 0;
  });
  for (let configuration = 0; configuration < count; configuration++) {
    const [start, end] = [offsets[configuration] as number, offsets[configuration + 1] as number];
    missingSds[configuration] = missingSd(scaled.subarray(start, end), sds.subarray(start, end));
  }
  return { isLog, scaled, missingSds };
}

/**
 * Square root of (w^2 - s^2) / n where that is above 0; s^2 is 0 for a single value.
 *
 * @param values - of the replicates of a configuration, NaN where empty
 * @param sds - standard error of each within its trial, 0 where unknown
 */
function missingSd(values: Float64Array, sds: Float64Array): number {
  const { n, sd: spread, min, max } = describe(values);
  const known = sds.filter((sd, at) => sd > 0 && !Number.isNaN(values[at]));
  if (known.length === 0) return 0;
  if (n === 1) return known[0] as number;
  if (min === max) return 0;
  const within = known.reduce((sum, sd) => sum + sd * sd, 0) / known.length;
  return Math.sqrt(Math.max(0, within - spread ** 2) / n);
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
