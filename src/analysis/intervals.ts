import { correlationTime, type Dependence } from './correlation-time.ts';
import { tCritical } from './distributions.ts';

/** What an interval can be had for. */
export type Statistic = 'mean' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999';

/** An interval, or why there is none and what it would take. */
export type IntervalOutcome =
  | {
      readonly kind: 'interval';
      readonly estimate: number;
      readonly lo: number;
      readonly hi: number;
      /** In words for a table, naming how it was found. */
      readonly method: string;
    }
  | {
      readonly kind: 'none';
      /** Why, with the figures and what it would take, in words for a table. */
      readonly reason: string;
      /** Requests that would do: of the window, or of all replicates together. Infinite where no number would. */
      readonly neededRequests: number;
    };

export interface IntervalOptions {
  readonly dependence: Dependence;
  /** Between 0 and 1; 0.95 by default, for which the rules of printing were made. */
  readonly confidence?: number;
}

/**
 * Batches a window is cut into.
 *
 * So few that each spans many backlogs and their means are near normal: with twenty, the intervals of a tail are too narrow at any affordable length
 * (benchmarks/interval-coverage.ts prints what these reach). Their price is a Student t of 2.8 instead of 2.1.
 */
export const BATCHES = 5;

/** Fewer replicates than this carry no interval. */
export const LEAST_REPLICATES = 3;

/** Share of the requests at or below the statistic, and how many correlation times a batch must span for intervals that cover what they say. */
const RULES: Readonly<Record<Statistic, { readonly share: number | undefined; readonly span: number }>> = {
  mean: { share: undefined, span: 60 },
  p50: { share: 0.5, span: 15 },
  p90: { share: 0.9, span: 25 },
  p95: { share: 0.95, span: 40 },
  p99: { share: 0.99, span: 80 },
  p999: { share: 0.999, span: 640 },
};

/** A batch must expect this many requests beyond a percentile, however little they are correlated. */
const LEAST_BEYOND = 2;

/** Requests a batch (or a replicate) needs; decided from how the load is offered alone, so that no lucky run is let through. */
function leastBatch(statistic: Statistic, dependence: Dependence): number {
  const { share, span } = RULES[statistic];
  const forTail = share === undefined ? 0 : Math.ceil(LEAST_BEYOND / (1 - share) - 1e-6);
  return Math.max(Math.ceil(span * correlationTime(dependence)), forTail);
}

/** Requests a window needs for an interval of this statistic, wide or narrow. Infinite where the load exceeds the capacity. */
export function leastRequests(statistic: Statistic, dependence: Dependence): number {
  return BATCHES * leastBatch(statistic, dependence);
}

/** The interval of every statistic, or why it has none. */
export type Intervals = Readonly<Record<Statistic, IntervalOutcome>>;

/**
 * Intervals of the statistics of the latencies within one window, from five batches of successive requests.
 *
 * They say how well the window pins down the statistic for this launch of the server; what differs from launch to launch takes replicates.
 * @param latencies - in the order of their intended times, steady, every request among them; the unit is that of the intervals
 */
export function intervalsWithinTrial(latencies: Float64Array, options: IntervalOptions): Intervals {
  const { dependence } = options;
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    latencies.subarray(
      Math.floor((batch * latencies.length) / BATCHES),
      Math.floor(((batch + 1) * latencies.length) / BATCHES),
    ),
  );
  const sorted = sortOnce(() => latencies);
  return forEachStatistic((statistic) => {
    const neededRequests = leastRequests(statistic, dependence);
    if (!Number.isFinite(neededRequests)) return OVERLOADED;
    if (latencies.length >= neededRequests) {
      return estimateFromBatches(batches, sorted, statistic, options, 'batch means');
    }
    const times = formatTimes(neededRequests / latencies.length);
    return {
      kind: 'none',
      reason: `${latencies.length} requests; at ${describeLoad(dependence)} an interval of the ${statistic} takes ${neededRequests}, a window ${times} as long`,
      neededRequests,
    };
  });
}

/**
 * Intervals of the statistics over the replicates of a configuration, their requests pooled.
 *
 * Replicates are independent, so each is a batch; short ones are put together. Their differences hold both the queue's chance and what differs from launch to launch.
 * @param replicates - latencies of each, in any order, steady
 */
export function intervalsOverReplicates(replicates: readonly Float64Array[], options: IntervalOptions): Intervals {
  const sorted = sortOnce(() => concatenate(replicates));
  return forEachStatistic((statistic) => {
    const needed = leastBatch(statistic, options.dependence);
    if (!Number.isFinite(needed)) return OVERLOADED;
    const groups = groupReplicates(replicates, needed);
    if (groups.length >= LEAST_REPLICATES) return estimateFromBatches(groups, sorted, statistic, options, 'replicates');
    return {
      kind: 'none',
      reason: `${replicates.length} replicates; at ${describeLoad(options.dependence)} an interval of the ${statistic} takes ${adviseReplicates(replicates, needed)}`,
      neededRequests: LEAST_REPLICATES * needed,
    };
  });
}

function adviseReplicates(replicates: readonly Float64Array[], needed: number): string {
  const mean = replicates.reduce((sum, { length }) => sum + length, 0) / replicates.length;
  const ofFullLength = `${LEAST_REPLICATES} of ${needed} requests`;
  if (!(mean > 0 && mean < needed)) return ofFullLength;
  return `${LEAST_REPLICATES * Math.ceil(needed / mean)} of their length (${Math.round(mean)} requests), or ${ofFullLength}`;
}

function forEachStatistic(outcomeOf: (statistic: Statistic) => IntervalOutcome): Intervals {
  return {
    mean: outcomeOf('mean'),
    p50: outcomeOf('p50'),
    p90: outcomeOf('p90'),
    p95: outcomeOf('p95'),
    p99: outcomeOf('p99'),
    p999: outcomeOf('p999'),
  };
}

/** Sorted copy of the values, made when it is first asked for. */
function sortOnce(values: () => Float64Array): () => Float64Array {
  let sorted: Float64Array | undefined;
  return () => {
    sorted ??= values().toSorted();
    return sorted;
  };
}

/** Puts neighbouring replicates together until each group has the requests it needs; what is left joins the last group. */
function groupReplicates(replicates: readonly Float64Array[], needed: number): Float64Array[] {
  const groups: Float64Array[][] = [];
  let current: Float64Array[] = [];
  let count = 0;
  for (const replicate of replicates) {
    current.push(replicate);
    count += replicate.length;
    if (count < needed) continue;
    groups.push(current);
    current = [];
    count = 0;
  }
  if (groups.length === 0) return [];
  groups.at(-1)?.push(...current);
  return groups.map(concatenate);
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function estimateFromBatches(
  batches: readonly Float64Array[],
  sorted: () => Float64Array,
  statistic: Statistic,
  { confidence = 0.95 }: IntervalOptions,
  source: string,
): IntervalOutcome {
  const t = tCritical(confidence, batches.length - 1);
  const { share } = RULES[statistic];
  const percent = `${Number((confidence * 100).toFixed(3))} %`;
  const interval = share === undefined ? intervalOfMean(batches, t) : intervalOfQuantile(batches, sorted(), share, t);
  if (interval === undefined) {
    return {
      kind: 'none',
      reason: `the means of ${batches.length} ${source === 'replicates' ? 'replicates' : 'batches'} differ by more than their own size; more are needed`,
      neededRequests: Number.POSITIVE_INFINITY,
    };
  }
  const how = share === undefined ? 'reciprocal of the mean' : 'share below the percentile';
  return { kind: 'interval', ...interval, method: `${percent}, ${batches.length} ${source}, t on the ${how}` };
}

/**
 * Interval of the mean, symmetric for its reciprocal.
 *
 * A window that saw a long backlog has both a high mean and a large spread, so a symmetric interval misses mostly below the truth; the reciprocal evens that out.
 * @returns undefined where the spread admits any mean
 * Source: batch means with Student's t, Law (2015), "Simulation Modeling and Analysis", 5th ed., ch. 9.5.3; ratio estimator for batches of unequal length, Cochran (1977), ch. 6.
 */
function intervalOfMean(batches: readonly Float64Array[], t: number) {
  const { ratio, standardError } = ratioOverBatches(batches, (batch) => batch.reduce((sum, value) => sum + value, 0));
  const relative = ratio === 0 ? 0 : (t * standardError) / ratio;
  if (relative >= 1) return undefined;
  return { estimate: ratio, lo: ratio / (1 + relative), hi: ratio / (1 - relative) };
}

/**
 * Interval of a quantile: that of the share of requests at or below its estimate, carried over to the latencies through the order statistics.
 *
 * It needs no density, and is as skewed as the tail is.
 * Source: Heidelberger, Lewis (1984), "Quantile estimation in dependent sequences", Operations Research 32(1).
 */
function intervalOfQuantile(batches: readonly Float64Array[], sorted: Float64Array, share: number, t: number) {
  const count = sorted.length;
  const at = (place: number) => sorted[Math.max(0, Math.min(count - 1, place))] as number;
  const estimate = at(Math.ceil(share * count) - 1);
  const { standardError } = ratioOverBatches(batches, (batch) => countAtMost(batch, estimate));
  return {
    estimate,
    lo: at(Math.floor((share - t * standardError) * count) - 1),
    hi: at(Math.ceil((share + t * standardError) * count)),
  };
}

/** Sum over the batches of `total` per request, and its standard error from how the batches differ. */
function ratioOverBatches(batches: readonly Float64Array[], total: (batch: Float64Array) => number) {
  const totals = batches.map(total);
  const count = batches.reduce((sum, { length }) => sum + length, 0);
  const ratio = totals.reduce((sum, value) => sum + value, 0) / count;
  const squares = batches.reduce(
    (sum, { length }, index) => sum + ((totals[index] as number) - ratio * length) ** 2,
    0,
  );
  return { ratio, standardError: Math.sqrt((squares * batches.length) / (batches.length - 1)) / count };
}

function countAtMost(values: Float64Array, limit: number): number {
  let count = 0;
  for (const value of values) if (value <= limit) count++;
  return count;
}

/**
 * Requests after which the interval of a statistic should be within `relativeHalfWidth` of it, as far as that can be told beforehand.
 *
 * It takes the latencies as exponential (M/M/1) and their correlation as that of `dependence`; less variable services need fewer.
 */
export function requestsForPrecision(
  statistic: Statistic,
  dependence: Dependence,
  relativeHalfWidth: number,
  confidence = 0.95,
): number {
  if (!(relativeHalfWidth > 0)) throw new RangeError(`a relative half-width of ${relativeHalfWidth} is not positive`);
  const { share } = RULES[statistic];
  // Standard error of one independent request, relative to the statistic of an exponential distribution.
  const spread = share === undefined ? 1 : Math.sqrt(share / (1 - share)) / -Math.log(1 - share);
  const t = tCritical(confidence, BATCHES - 1);
  const needed = correlationTime(dependence) * ((t * spread) / relativeHalfWidth) ** 2;
  return Math.max(leastRequests(statistic, dependence), Math.ceil(needed));
}

const OVERLOADED: IntervalOutcome = {
  kind: 'none',
  reason: 'the offered load is at or above the capacity, so latency grows without end and has no interval',
  neededRequests: Number.POSITIVE_INFINITY,
};

function describeLoad(dependence: Dependence): string {
  return dependence.kind === 'open'
    ? `a utilization of ${Number(dependence.utilization.toFixed(3))}`
    : `a concurrency of ${dependence.concurrency}`;
}

function formatTimes(times: number): string {
  return Number.isFinite(times) ? `${times.toPrecision(2)} times` : 'many times';
}
