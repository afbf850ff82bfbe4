import { type IntervalOutcome, intervalsWithinTrial, type Statistic } from '../analysis/index.ts';
import { latenciesMsInOrder, type OfferedLoad, type RequestRecords } from '../load/index.ts';
import type { MeasureSpec } from '../spec/types.ts';
import { hasPattern } from './running-load.ts';

/** Statistics of latency that may carry an interval, by the column that holds them. */
const STATISTIC_OF: Readonly<Record<string, Statistic>> = {
  latency_mean_ms: 'mean',
  latency_p50_ms: 'p50',
  latency_p90_ms: 'p90',
  latency_p95_ms: 'p95',
  latency_p99_ms: 'p99',
  latency_p999_ms: 'p999',
};

const CHANGING_LOAD: IntervalOutcome = {
  kind: 'none',
  reason: 'the load changes by design, so there is no one value to have an interval of; see the side file by seconds',
  neededRequests: Number.POSITIVE_INFINITY,
};

/** The interval of each latency column over one stretch of a trial, or why it has none. */
export type LatencyIntervals = ReadonlyMap<string, IntervalOutcome>;

/**
 * Confidence intervals of the latencies of requests due in a window.
 *
 * They say how well this window pins the figure down for this launch of the server; what differs from launch to launch takes replicates.
 * @param capacityRps - of this configuration: how close the load comes to it decides how long backlogs last, and so how much a window tells
 */
export function findLatencyIntervals(
  records: RequestRecords,
  window: { readonly startNs: number; readonly endNs: number },
  load: { readonly offered: OfferedLoad; readonly capacityRps: number },
  { confidence, precision }: Pick<MeasureSpec, 'confidence' | 'precision'>,
): LatencyIntervals {
  if (hasPattern(load.offered)) return new Map(Object.keys(STATISTIC_OF).map((column) => [column, CHANGING_LOAD]));
  const latenciesMs = latenciesMsInOrder(records, window);
  const { offered, capacityRps } = load;
  const dependence =
    offered.kind === 'closed'
      ? ({ kind: 'closed', concurrency: offered.concurrency } as const)
      : ({ kind: 'open', utilization: offered.rateRps / capacityRps } as const);
  // Stopping when an interval looks narrow favours the runs in which it is too narrow; the interval allows for that.
  const isStoppedByWidth = Object.keys(precision).length > 0;
  const intervals = intervalsWithinTrial(latenciesMs, { dependence, confidence, isStoppedByWidth });
  return new Map(Object.entries(STATISTIC_OF).map(([column, statistic]) => [column, intervals[statistic]]));
}

/** Whether every response that a precision is asked for has an interval whose half-width is within its share of the figure. */
export function arePrecise(intervals: LatencyIntervals, precision: Readonly<Record<string, number>>): boolean {
  return Object.entries(precision).every(([column, share]) => {
    const interval = intervals.get(column);
    if (interval?.kind !== 'interval') return false;
    return (interval.hi - interval.lo) / 2 <= share * interval.estimate;
  });
}
