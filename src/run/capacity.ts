import { type LoadDriver, OUTCOME, RequestLog, type RequestRecords } from '../load/index.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { sleepUnless, TrialFailure } from './waiting.ts';

/** Throughput of a server under a closed loop of some concurrency. */
export interface CapacityPoint {
  readonly concurrency: number;
  readonly requests: number;
  readonly throughputRps: number;
}

export interface Capacity {
  /** Replies per second that the server can give at most. */
  readonly capacityRps: number;
  readonly shape: OverloadShape;
  readonly points: readonly CapacityPoint[];
}

/** What becomes of the throughput when more is asked than the server can give: `cliff` where it falls by over 10 %, `smooth` where it stays. */
export type OverloadShape = 'cliff' | 'smooth';

/** Requests a point needs at least, so that one reply more or less is a few percent. */
const MIN_REQUESTS = 30;
const MAX_CONCURRENCY = 64;
/** Saturated when the best of the last four points gains less than this over the first of them. */
const SATURATION_GAIN = 0.05;
const SATURATION_POINTS = 4;
const CLIFF_DROP = 0.1;

/**
 * Measures a running server's capacity: closed loop, concurrency doubled from 1 until four points gain under 5 %.
 *
 * The capacity is the throughput over the points within 5 % of the best, pooled, so that it is not the luckiest of several noisy readings.
 * @param pointS - seconds a point lasts; a slow server gets longer, up to `maxPointS`, until it has answered 30 requests
 * @throws TrialFailure where the server answers nothing
 * Source of the stopping rule: Triton Model Analyzer, parameter search.
 */
export async function measureCapacity(
  load: LoadDriver,
  options: { readonly pointS: number; readonly maxPointS: number; readonly signal: AbortSignal },
): Promise<Capacity> {
  const points: CapacityPoint[] = [];
  for (let concurrency = 1; concurrency <= MAX_CONCURRENCY && !isSaturated(points); concurrency *= 2) {
    points.push(await measurePoint(load, concurrency, options));
  }
  return { capacityRps: pooledPlateauRps(points), shape: overloadShape(points), points };
}

/** Whether further concurrency has stopped to pay: at least four points, the best of the last four under 5 % above the first of them. */
export function isSaturated(points: readonly CapacityPoint[]): boolean {
  if (points.length < SATURATION_POINTS) return false;
  const last = points.slice(-SATURATION_POINTS).map(({ throughputRps }) => throughputRps);
  return Math.max(...last) < (last[0] as number) * (1 + SATURATION_GAIN);
}

/** Throughput pooled over the points within 5 % of the best one. */
export function pooledPlateauRps(points: readonly CapacityPoint[]): number {
  const best = Math.max(...points.map(({ throughputRps }) => throughputRps));
  const plateau = points.filter(({ throughputRps }) => throughputRps >= best * (1 - SATURATION_GAIN));
  const requests = plateau.reduce((sum, point) => sum + point.requests, 0);
  const seconds = plateau.reduce((sum, point) => sum + point.requests / point.throughputRps, 0);
  return requests / seconds;
}

/** Compares the best throughput with that at the highest concurrency. */
export function overloadShape(points: readonly CapacityPoint[]): OverloadShape {
  const best = Math.max(...points.map(({ throughputRps }) => throughputRps));
  return (points.at(-1)?.throughputRps ?? 0) < best * (1 - CLIFF_DROP) ? 'cliff' : 'smooth';
}

async function measurePoint(
  load: LoadDriver,
  concurrency: number,
  { pointS, maxPointS, signal }: { readonly pointS: number; readonly maxPointS: number; readonly signal: AbortSignal },
): Promise<CapacityPoint> {
  const log = new RequestLog();
  const run = await load.start({ kind: 'closed', concurrency }, log.add);
  try {
    await sleepUnless(signal, pointS * 1e3);
    while (log.count < MIN_REQUESTS && monotonicNs() - run.startedAtNs < maxPointS * NS_PER_S)
      await sleepUnless(signal, 50);
  } finally {
    await run.stop();
  }
  const records = log.all();
  const replies = repliesOf(records);
  const first = replies.at(0);
  const last = replies.at(-1);
  if (first === undefined || last === undefined || last === first) {
    throw new TrialFailure(
      `the server answered ${replies.length} of ${records.count} requests while its capacity was measured`,
    );
  }
  // From the first reply to the last: neither the start of the first requests nor the drain after the stop is counted.
  return {
    concurrency,
    requests: replies.length - 1,
    throughputRps: (replies.length - 1) / ((last - first) / NS_PER_S),
  };
}

/** Times of the good replies, ascending, nanoseconds. */
function repliesOf(records: RequestRecords): number[] {
  return Array.from(records.doneNs)
    .filter((_, index) => records.outcome[index] === OUTCOME.ok)
    .sort((a, b) => a - b);
}
