import type { Rng } from '../rng.ts';
import { dotProduct, standardize } from './correlation.ts';
import { normalTwoSidedP } from './distributions.ts';
import { describe } from './moments.ts';
import { createOrders } from './orders.ts';
import { rankDensely, shareRanks } from './ranks.ts';

/** Trials in any order, of which each has one entry in every array. */
export interface OrderedTrials {
  /** Any number that is the same for trials of the same configuration. */
  readonly configurations: Int32Array;
  /** Place in the run. */
  readonly runOrder: Float64Array;
  /** Positive; empty (NaN) ones are passed over. */
  readonly values: Float64Array;
  /** Where trials may share launches: the launch, and the server configuration that was launched. */
  readonly launched?: { readonly launches: Int32Array; readonly servers: Int32Array } | undefined;
}

/** Whether a response moved with the run order, beyond what the configurations explain. */
export type OrderEffect =
  | {
      /** Spearman's rho of what launches have of their own against their places in the run. */
      readonly rho: number;
      /** Share of orders with a rho at least as far from 0. */
      readonly p: number;
      /** Whether `p` was counted over orders, or is that of the normal distribution they tend to. */
      readonly method: 'permutation' | 'normal';
      /** Launches that took part: those of server configurations with two or more. */
      readonly n: number;
      /** Change from the first to the last launch along a straight line through their residuals, as a share of the configuration's mean. */
      readonly relativeChange: number;
    }
  | { readonly reason: string };

/**
 * Tests whether a response drifted over the run, with the means of the configurations taken out.
 *
 * Residuals are relative to their configuration's mean, so that slow and fast configurations weigh the same. What a launch has of its own is in all of its trials, so launches are counted and
 * not trials: each by the mean rank of its residuals, at the mean place of its trials. Under no drift the launches of a server configuration could have been run in any order among their places:
 * p comes from exchanging them so, and needs no assumption about their distribution; where orders are few, every one is tried. Where launches lack trials it is nearly so.
 * Without launches every trial is one. Above 5000 launches the orders are not tried: rho is then as good as normal, with the mean and variance that it has over all of them.
 * @param exchanges - random orders to try; p cannot be smaller than 1 / (exchanges + 1)
 * Source: Good (2005), "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd ed., ch. 3 (exchange within blocks); Anderson, ter Braak (2003), "Permutation tests for multi-factorial
 * analysis of variance", Journal of Statistical Computation and Simulation 73(2) (whole plots); Hoeffding (1951), "A combinatorial central limit theorem", Annals of Mathematical Statistics 22(4).
 */
export function testOrderEffect(trials: OrderedTrials, rng: Rng, exchanges = 1999): OrderEffect {
  const replicated = groupReplicates(trials);
  const residuals = Float64Array.from(replicated.flatMap((group) => relativeResiduals(group, trials.values)));
  const launches = gatherLaunches(trials, replicated.flat(), residuals);
  if (launches.length === 0) {
    return {
      reason: `no configuration has two ${trials.launched === undefined ? 'replicates' : 'launches'} whose order could matter`,
    };
  }
  if (residuals.every((residual) => residual === 0)) return { reason: 'all replicates agree exactly' };

  const places = Float64Array.from(launches, ({ place }) => place);
  const unitPlaces = standardize(shareRanks(rankDensely(places)));
  const unitScores = standardize(shareRanks(rankDensely(Float64Array.from(launches, ({ rank }) => rank))));
  const groups = groupPlaces(launches);
  const rho = dotProduct(unitPlaces, unitScores);
  const isLarge = launches.length > MOST_EXCHANGED;
  return {
    rho,
    p: isLarge
      ? normalP(unitPlaces, unitScores, groups, rho)
      : exchangedP(unitPlaces, unitScores, groups, rho, rng, exchanges),
    method: isLarge ? 'normal' : 'permutation',
    n: launches.length,
    relativeChange: changeAlongLine(
      places,
      Float64Array.from(launches, ({ residual }) => residual),
    ),
  };
}

/** More launches than this would take seconds to exchange. */
const MOST_EXCHANGED = 5000;

function exchangedP(
  unitPlaces: Float64Array,
  unitScores: Float64Array,
  groups: readonly Int32Array[],
  rho: number,
  rng: Rng,
  exchanges: number,
): number {
  const everyPlace = Int32Array.from(unitPlaces, (_, place) => place);
  const { count, next } = createOrders(groups, everyPlace, exchanges, rng);
  let asFar = 1;
  for (let exchange = 0; exchange < count; exchange++) {
    const order = next();
    let other = 0;
    for (let at = 0; at < order.length; at++) {
      other += (unitPlaces[at] as number) * (unitScores[order[at] as number] as number);
    }
    // Rounding must not make the observed order rarer than its equals.
    if (Math.abs(other) >= Math.abs(rho) - 1e-12) asFar++;
  }
  return asFar / (count + 1);
}

/** Mean and variance of a sum of products over all orders within each group are known; groups stand one after another. */
function normalP(x: Float64Array, y: Float64Array, groups: readonly Int32Array[], rho: number): number {
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
function groupReplicates({ configurations, values }: OrderedTrials): number[][] {
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

/** Means over the trials of a launch. */
interface Launch {
  readonly server: number;
  readonly place: number;
  readonly residual: number;
  /** Of its residuals among all residuals: a load of wild latencies must not drown the others. */
  readonly rank: number;
}

/** The launches of each server configuration one after another, where there are two or more. */
function gatherLaunches(trials: OrderedTrials, members: readonly number[], residuals: Float64Array): Launch[] {
  const { configurations, runOrder, launched } = trials;
  const ranks = shareRanks(rankDensely(residuals));
  const byLaunch = new Map<number, number[]>();
  for (const [at, trial] of members.entries()) {
    const launch = launched?.launches[trial] ?? trial;
    const known = byLaunch.get(launch);
    if (known === undefined) byLaunch.set(launch, [at]);
    else known.push(at);
  }
  const serverOf = launched?.servers ?? configurations;
  const byServer = new Map<number, Launch[]>();
  for (const own of byLaunch.values()) {
    const mean = (valueAt: (at: number) => number) => own.reduce((sum, at) => sum + valueAt(at), 0) / own.length;
    const launch = {
      server: serverOf[members[own[0] as number] as number] as number,
      place: mean((at) => runOrder[members[at] as number] as number),
      residual: mean((at) => residuals[at] as number),
      rank: mean((at) => ranks[at] as number),
    };
    const known = byServer.get(launch.server);
    if (known === undefined) byServer.set(launch.server, [launch]);
    else known.push(launch);
  }
  return [...byServer.values()].filter((launches) => launches.length > 1).flat();
}

/** Places of launches of the same server configuration, which stand one after another. */
function groupPlaces(launches: readonly Launch[]): Int32Array[] {
  const starts = [...launches.keys()].filter((at) => launches[at]?.server !== launches[at - 1]?.server);
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? launches.length;
    return Int32Array.from({ length: end - start }, (_, at) => start + at);
  });
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
