import { tCritical } from '../student-t.ts';
import { correlationTime, type Dependence } from './correlation-time.ts';

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
  /**
   * True where the window went on until the interval was narrow enough.
   *
   * Such a rule stops where the spread happens to look small, and an interval from that spread then covers too seldom. So the spread is taken from the first requests that carry an
   * interval at all (`leastRequests`) and only the number of requests grows on (Stein 1945, "A two-sample test for a linear hypothesis whose power is independent of the variance").
   */
  readonly isStoppedByWidth?: boolean;
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
  const { dependence, isStoppedByWidth = false } = options;
  const sorted = sortOnce(() => latencies);
  return forEachStatistic((statistic) => {
    const neededRequests = leastRequests(statistic, dependence);
    if (!Number.isFinite(neededRequests)) return OVERLOADED;
    if (latencies.length >= neededRequests) {
      const batches = cutIntoBatches(isStoppedByWidth ? latencies.subarray(0, neededRequests) : latencies);
      return estimateInterval({ sorted, batches, source: 'batch means' }, statistic, options);
    }
    const times = formatTimes(neededRequests / latencies.length);
    return {
      kind: 'none',
      reason: `${latencies.length} requests; at ${describeLoad(dependence)} an interval of the ${statistic} takes ${neededRequests}, a window ${times} as long`,
      neededRequests,
    };
  });
}

function cutIntoBatches(latencies: Float64Array): Float64Array[] {
  const startOf = (batch: number) => Math.floor((batch * latencies.length) / BATCHES);
  return Array.from({ length: BATCHES }, (_, batch) => latencies.subarray(startOf(batch), startOf(batch + 1)));
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
    if (groups.length >= LEAST_REPLICATES) {
      return estimateInterval({ sorted, batches: groups, source: 'replicates' }, statistic, options);
    }
    return {
      kind: 'none',
      reason: `${countReplicates(replicates.length)}; at ${describeLoad(options.dependence)} an interval of the ${statistic} takes ${adviseReplicates(replicates, needed)}`,
      neededRequests: LEAST_REPLICATES * needed,
    };
  });
}

const countReplicates = (count: number) => `${count} ${count === 1 ? 'replicate' : 'replicates'}`;

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

/** What an interval is made from: the pooled requests, and the batches whose differences tell how sure it is. */
interface Sample {
  /** All requests in ascending order. */
  readonly sorted: () => Float64Array;
  /** Of all requests, or of the first ones only. */
  readonly batches: readonly Float64Array[];
  readonly source: 'batch means' | 'replicates';
}

function estimateInterval(
  sample: Sample,
  statistic: Statistic,
  { confidence = 0.95 }: IntervalOptions,
): IntervalOutcome {
  const { length } = sample.batches;
  const t = tCritical(confidence, length - 1);
  const { share } = RULES[statistic];
  const interval = share === undefined ? intervalOfMean(sample, t) : intervalOfQuantile(sample, share, t);
  if (interval === undefined) {
    return {
      kind: 'none',
      reason: `the ${length} ${sample.source} differ by more than their own size; it takes more of them`,
      neededRequests: Number.POSITIVE_INFINITY,
    };
  }
  const percent = `${Number((confidence * 100).toFixed(3))} %`;
  const how = share === undefined ? 'reciprocal of the mean' : 'share below the percentile';
  return { kind: 'interval', ...interval, method: `${percent}, ${length} ${sample.source}, t on the ${how}` };
}

/**
 * Interval of the mean, symmetric for its reciprocal.
 *
 * A window that saw a long backlog has both a high mean and a large spread, so a symmetric interval misses mostly below the truth; the reciprocal evens that out.
 * @returns undefined where the spread admits any mean
 * Source: batch means with Student's t, Law (2015), "Simulation Modeling and Analysis", 5th ed., ch. 9.5.3.
 */
function intervalOfMean({ sorted, batches }: Sample, t: number) {
  const all = sorted();
  const estimate = sum(all) / all.length;
  const relative = estimate === 0 ? 0 : (t * standardErrorOf(batches, sum, all.length)) / estimate;
  if (relative >= 1) return undefined;
  return { estimate, lo: estimate / (1 + relative), hi: estimate / (1 - relative) };
}

/**
 * Interval of a quantile: that of the share of requests at or below its estimate, carried over to the latencies through the order statistics.
 *
 * It needs no density, and is as skewed as the tail is. Where the share's interval reaches 1, the largest latency is its end.
 * Source: Heidelberger, Lewis (1984), "Quantile estimation in dependent sequences", Operations Research 32(1).
 */
function intervalOfQuantile({ sorted, batches }: Sample, share: number, t: number) {
  const all = sorted();
  const at = (place: number) => all[Math.max(0, Math.min(all.length - 1, place))] as number;
  const estimate = at(Math.ceil(share * all.length) - 1);
  const halfWidth = t * standardErrorOf(batches, (batch) => countAtMost(batch, estimate), all.length);
  return {
    estimate,
    lo: at(Math.floor((share - halfWidth) * all.length) - 1),
    hi: at(Math.ceil((share + halfWidth) * all.length)),
  };
}

/**
 * Standard error of a total per request over `requests` requests, from how it differs between batches.
 *
 * Batches may differ in length: the ratio estimator. Source: Cochran (1977), "Sampling Techniques", 3rd ed., ch. 6.
 */
function standardErrorOf(
  batches: readonly Float64Array[],
  total: (batch: Float64Array) => number,
  requests: number,
): number {
  const totals = batches.map(total);
  const count = batches.reduce((all, { length }) => all + length, 0);
  const ratio = totals.reduce((all, value) => all + value, 0) / count;
  const squares = batches.reduce(
    (all, { length }, index) => all + ((totals[index] as number) - ratio * length) ** 2,
    0,
  );
  const ofBatches = Math.sqrt((squares * batches.length) / (batches.length - 1)) / count;
  return ofBatches * Math.sqrt(count / requests);
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
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
  if (!Number.isFinite(times)) return 'many times';
  return `${times < 10 ? times.toFixed(1) : Math.ceil(times)} times`;
}
