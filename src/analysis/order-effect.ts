import type { Rng } from '../rng.ts';
import { dotProduct, standardize } from './correlation.ts';
import { normalTwoSidedP } from './distributions.ts';
import { describe } from './moments.ts';
import { rankDensely, shareRanks } from './ranks.ts';

/** Whether a response moved with the run order, beyond what the configurations explain. */
export type OrderEffect =
  | {
      /** Spearman's rho of the residuals against the run order. */
      readonly rho: number;
      /** Share of random orders with a rho at least as far from 0. */
      readonly p: number;
      /** Whether `p` was counted over random orders, or is that of the normal distribution they tend to. */
      readonly method: 'permutation' | 'normal';
      /** Trials that took part: those of configurations with two or more. */
      readonly n: number;
      /** Change from the first to the last trial along a straight line through the residuals, as a share of the configuration's mean. */
      readonly relativeChange: number;
    }
  | { readonly reason: string };

/**
 * Tests whether a response drifted over the run, with the means of the configurations taken out.
 *
 * Residuals are relative to their configuration's mean, so that slow and fast configurations weigh the same. Under no drift the replicates of a configuration could
 * have been run in any order among their places: p comes from exchanging them so, and needs no assumption about their distribution.
 * @param configurations - per trial, any number that is the same for trials of the same configuration
 * @param runOrder - per trial, its place in the run
 * @param values - per trial, positive; empty (NaN) ones are passed over
 * Above 5000 trials the orders are not tried: rho is then as good as normal, with the mean and variance that it has over all of them.
 * @param exchanges - random orders to try; p cannot be smaller than 1 / (exchanges + 1)
 * Source: Good (2005), "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd ed., ch. 3 (exchange within blocks); Hoeffding (1951), "A combinatorial central limit theorem",
 * Annals of Mathematical Statistics 22(4).
 */
export function testOrderEffect(
  configurations: Int32Array,
  runOrder: Float64Array,
  values: Float64Array,
  rng: Rng,
  exchanges = 1999,
): OrderEffect {
  const groups = groupReplicates(configurations, values);
  if (groups.length === 0) return { reason: 'no configuration has two replicates whose order could matter' };
  const trials = groups.flat();
  const places = Float64Array.from(trials, (trial) => runOrder[trial] as number);
  const residuals = Float64Array.from(groups.flatMap((group) => relativeResiduals(group, values)));
  if (residuals.every((residual) => residual === 0)) return { reason: 'all replicates agree exactly' };

  const unitPlaces = standardize(shareRanks(rankDensely(places)));
  const unitResiduals = standardize(shareRanks(rankDensely(residuals)));
  const rho = dotProduct(unitPlaces, unitResiduals);
  const isLarge = trials.length > MOST_EXCHANGED;
  return {
    rho,
    p: isLarge
      ? normalP(unitPlaces, unitResiduals, groups, rho)
      : exchangedP(unitPlaces, unitResiduals, groups, rho, rng, exchanges),
    method: isLarge ? 'normal' : 'permutation',
    n: trials.length,
    relativeChange: changeAlongLine(places, residuals),
  };
}

/** More trials than this would take seconds to exchange. */
const MOST_EXCHANGED = 5000;

function exchangedP(
  unitPlaces: Float64Array,
  unitResiduals: Float64Array,
  groups: readonly (readonly number[])[],
  rho: number,
  rng: Rng,
  exchanges: number,
): number {
  let asFar = 0;
  for (let exchange = 0; exchange < exchanges; exchange++) {
    const other = dotProduct(unitPlaces, exchangeWithinGroups(unitResiduals, groups, rng));
    // Rounding must not make the observed order rarer than its equals.
    if (Math.abs(other) >= Math.abs(rho) - 1e-12) asFar++;
  }
  return (asFar + 1) / (exchanges + 1);
}

/** Mean and variance of a sum of products over all orders within each group are known; groups stand one after another. */
function normalP(x: Float64Array, y: Float64Array, groups: readonly (readonly number[])[], rho: number): number {
  let mean = 0;
  let variance = 0;
  let start = 0;
  for (const { length } of groups) {
    const [a, b] = [x, y].map((values) => describe(values.subarray(start, start + length)));
    mean += length * (a?.mean as number) * (b?.mean as number);
    variance += (length - 1) * (a?.sd as number) ** 2 * (b?.sd as number) ** 2;
    start += length;
  }
  const beyond = (distance: number) => {
    const half = normalTwoSidedP(distance / Math.sqrt(variance)) / 2;
    return distance >= 0 ? half : 1 - half;
  };
  return Math.min(1, beyond(Math.abs(rho) - mean) + beyond(Math.abs(rho) + mean));
}

/** Trials with a value by configuration, those of which there are two or more. */
function groupReplicates(configurations: Int32Array, values: Float64Array): number[][] {
  const groups = new Map<number, number[]>();
  for (let trial = 0; trial < values.length; trial++) {
    if (Number.isNaN(values[trial])) continue;
    const group = groups.get(configurations[trial] as number);
    if (group === undefined) groups.set(configurations[trial] as number, [trial]);
    else group.push(trial);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function relativeResiduals(group: readonly number[], values: Float64Array): number[] {
  const replicates = group.map((trial) => values[trial] as number);
  const { mean } = describe(Float64Array.from(replicates));
  return replicates.map((value) => (value === mean ? 0 : (value - mean) / Math.abs(mean)));
}

/** The residuals, which stand group after group, in random order within each group. */
function exchangeWithinGroups(residuals: Float64Array, groups: readonly (readonly number[])[], rng: Rng): Float64Array {
  const exchanged = residuals.slice();
  let start = 0;
  for (const { length } of groups) {
    for (let last = start + length - 1; last > start; last--) {
      const other = rng.integer(start, last);
      const held = exchanged[last] as number;
      exchanged[last] = exchanged[other] as number;
      exchanged[other] = held;
    }
    start += length;
  }
  return exchanged;
}

/** How much the least-squares line rises from the least to the largest x. */
function changeAlongLine(x: Float64Array, y: Float64Array): number {
  const { mean: meanX, min, max } = describe(x);
  const { mean: meanY } = describe(y);
  let covariance = 0;
  let spread = 0;
  for (let index = 0; index < x.length; index++) {
    covariance += ((x[index] as number) - meanX) * ((y[index] as number) - meanY);
    spread += ((x[index] as number) - meanX) ** 2;
  }
  return (covariance / spread) * (max - min);
}
