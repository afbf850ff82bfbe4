import { NS_PER_MS, NS_PER_S, NS_PER_US } from '../units.ts';
import { hasLatency, isCensored, latencyMsOf } from './latencies.ts';
import { nearestRank, PERCENTILES } from './percentiles.ts';
import { OUTCOME, type Outcome, type RequestRecords } from './types.ts';

/** A send is late when it leaves more than this after its intended time. */
export const LATE_AFTER_MS = 1;

export interface SummaryOptions {
  /** The window: from `startNs` up to but not including `endNs`, on the clock of the records. */
  readonly startNs: number;
  readonly endNs: number;
  /** What the load ran with: the latency a timeout counts as. */
  readonly timeoutMs: number;
  /** A good reply within this latency counts as goodput. */
  readonly sloLatencyMs?: number;
  /** Items in a request. Without it no accuracy is given. */
  readonly batch?: number;
}

/** What the requests of a window come to. */
export interface RequestSummary {
  /** Requests due in the window, whenever they ended; each ended in exactly one of `outcomes`. */
  readonly requests: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Refused, reset, 4xx, 5xx and malformed together. */
  readonly errors: number;
  readonly timeouts: number;
  readonly offeredRps: number;
  /** Good replies that came in the window, per second, whenever they were due. */
  readonly achievedRps: number;
  /** Share of requests (0 to 1) that found a client free and yet left more than 1 ms late, or not at all: the generator's fault. */
  readonly lateShare: number;
  /** Share of requests that found no client free: the server's doing, or too few connections. */
  readonly waitedShare: number;
  /** Share of the requests due (0 to 1) that were answered within the objective, whenever the answer came; undefined without one. */
  readonly withinSloShare: number | undefined;
  /** Requests in the system, averaged over the window; Little's law wants it near offered rate times mean latency. */
  readonly meanInSystem: number;
  /** Replies that were scored against labels, and how many of their items were right. */
  readonly scored: { readonly replies: number; readonly top1Correct: number; readonly top5Correct: number };
  /** Columns of `trials.csv` by name. What could not be measured is absent. */
  readonly responses: Readonly<Record<string, number>>;
  /** Columns whose true value may be higher than the one given, because requests were given up while they waited. */
  readonly lowerBounds: readonly string[];
  /** Why columns are absent. */
  readonly notes: readonly { readonly code: 'too-few-samples'; readonly detail: string }[];
}

/**
 * Summarizes the requests of one window.
 *
 * Latency, outcomes and the offered rate count the requests that were **due** in the window, whenever they ended; throughput and goodput count the good replies that
 * **came** in it. Latency runs from the intended send. A timeout counts as the timeout, a request dropped at the end of the load as its wait so far; both are lower
 * bounds, and a figure that rests on one is listed in `lowerBounds`. Errors have no latency. Percentiles are exact (nearest rank) and absent below their minimum sample.
 * @param records - of a load that has ended, or at least of every request due in the window
 * @throws RangeError for a window that does not end after it starts
 */
export function summarizeRequests(records: RequestRecords, options: SummaryOptions): RequestSummary {
  const { startNs, endNs, timeoutMs, sloLatencyMs, batch } = options;
  if (!(endNs > startNs)) throw new RangeError(`a window from ${startNs} to ${endNs} ns has no length`);
  const seconds = (endNs - startNs) / NS_PER_S;
  const due = rowsWithin(records.intendedNs, startNs, endNs);
  const goodReplies = rowsWithin(records.doneNs, startNs, endNs).filter((row) => records.outcome[row] === OUTCOME.ok);
  const dueAndGood = due.filter((row) => records.outcome[row] === OUTCOME.ok);

  const outcomes = countOutcomes(records, due);
  const errors = outcomes.refused + outcomes.reset + outcomes.http4xx + outcomes.http5xx + outcomes.malformed;
  const latency = summarizeLatency(records, due, timeoutMs);
  const sends = summarizeSends(records, due);
  const scored = countScored(records, dueAndGood);
  const withinSlo = goodReplies.filter((row) => latencyMsOf(records, row) <= (sloLatencyMs ?? Number.NaN)).length;
  const offeredRps = due.length / seconds;
  const achievedRps = goodReplies.length / seconds;
  const items = scored.replies * (batch ?? Number.NaN);
  return {
    requests: due.length,
    outcomes,
    errors,
    timeouts: outcomes.timeout,
    offeredRps,
    achievedRps,
    lateShare: sends.lateShare,
    waitedShare: sends.waitedShare,
    withinSloShare:
      sloLatencyMs === undefined || due.length === 0
        ? undefined
        : dueAndGood.filter((row) => latencyMsOf(records, row) <= sloLatencyMs).length / due.length,
    meanInSystem: meanInSystem(records, startNs, endNs),
    scored,
    responses: onlyNumbers({
      offered_rps: offeredRps,
      achieved_rps: achievedRps,
      goodput_rps: sloLatencyMs === undefined ? Number.NaN : withinSlo / seconds,
      accurate_rps:
        scored.replies === 0
          ? Number.NaN
          : correctWithinSlo(records, goodReplies, sloLatencyMs) / (batch ?? Number.NaN) / seconds,
      ...latency.responses,
      queue_ms: meanMs(records.queueUs, dueAndGood),
      compute_ms: meanMs(records.computeUs, dueAndGood),
      cache_hit_rate: cacheHitRate(records, dueAndGood),
      accuracy_top1: scored.top1Correct / items,
      accuracy_top5: scored.top5Correct / items,
      requests: due.length,
      ok_count: outcomes.ok,
      timeout_count: outcomes.timeout,
      error_count: errors,
      unanswered_count: outcomes.unanswered,
      send_lag_p50_ms: sends.lagP50Ms,
      send_lag_p99_ms: sends.lagP99Ms,
      late_share: sends.lateShare,
    }),
    lowerBounds: latency.lowerBounds,
    notes: latency.notes,
  };
}

/** Latency figures of the requests that have one, exact, with what is a lower bound and what is missing. */
function summarizeLatency(records: RequestRecords, due: readonly number[], timeoutMs: number) {
  const measured = due.filter((row) => hasLatency(records.outcome[row]));
  const latencyOf = (row: number) => (records.outcome[row] === OUTCOME.timeout ? timeoutMs : latencyMsOf(records, row));
  const ascending = Float64Array.from(measured, latencyOf).sort();
  const censored = measured.filter((row) => isCensored(records.outcome[row])).map(latencyOf);
  const lowestCensoredMs = censored.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY);
  const count = ascending.length;
  const figures = new Map<string, number>();
  const missing: string[] = [];
  if (count > 0) figures.set('latency_mean_ms', ascending.reduce((sum, value) => sum + value, 0) / count);
  for (const { name, perMille, minSample } of PERCENTILES) {
    const column = `latency_${name}_ms`;
    if (count >= minSample) figures.set(column, nearestRank(ascending, perMille));
    else missing.push(`${column} needs ${minSample}`);
  }
  if (count > 0) figures.set('latency_max_ms', ascending[count - 1] ?? Number.NaN);
  // The mean rests on every value; a percentile only on those up to it.
  const lowerBounds = [...figures]
    .filter(([column, value]) => lowestCensoredMs <= (column === 'latency_mean_ms' ? Number.MAX_VALUE : value))
    .map(([column]) => column);
  return {
    responses: Object.fromEntries(figures),
    lowerBounds,
    notes:
      missing.length === 0
        ? []
        : [{ code: 'too-few-samples' as const, detail: `${count} requests with a latency; ${missing.join(', ')}` }],
  };
}

/** How punctual the generator was: its lag is that of the requests that found a client free. */
function summarizeSends({ intendedNs, sentNs, waitedForClient }: RequestRecords, due: readonly number[]) {
  const prompt = due.filter((row) => waitedForClient[row] === 0);
  const lagMsOf = (row: number) => ((sentNs[row] ?? Number.NaN) - (intendedNs[row] ?? Number.NaN)) / NS_PER_MS;
  const lagsMs = Float64Array.from(prompt, lagMsOf)
    .filter((lagMs) => !Number.isNaN(lagMs))
    .sort();
  const late = prompt.filter((row) => !(lagMsOf(row) <= LATE_AFTER_MS)).length;
  const shareOf = (count: number) => (due.length === 0 ? 0 : count / due.length);
  const percentileMs = (name: 'p50' | 'p99') => {
    const { perMille, minSample } = PERCENTILES.find((percentile) => percentile.name === name) ?? PERCENTILES[0];
    return lagsMs.length < minSample ? Number.NaN : nearestRank(lagsMs, perMille);
  };
  return {
    lagP50Ms: percentileMs('p50'),
    lagP99Ms: percentileMs('p99'),
    lateShare: shareOf(late),
    waitedShare: shareOf(due.length - prompt.length),
  };
}

function countOutcomes(records: RequestRecords, rows: readonly number[]): Readonly<Record<Outcome, number>> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(records.outcome[row] ?? -1, (counts.get(records.outcome[row] ?? -1) ?? 0) + 1);
  return Object.fromEntries(Object.entries(OUTCOME).map(([name, code]) => [name, counts.get(code) ?? 0])) as Record<
    Outcome,
    number
  >;
}

function countScored({ top1Correct, top5Correct }: RequestRecords, rows: readonly number[]) {
  const scored = rows.filter((row) => (top1Correct[row] ?? -1) >= 0);
  const total = (column: Int16Array) => scored.reduce((sum, row) => sum + (column[row] ?? 0), 0);
  return { replies: scored.length, top1Correct: total(top1Correct), top5Correct: total(top5Correct) };
}

/** Items answered right by the replies that came within the objective. */
function correctWithinSlo(
  records: RequestRecords,
  replies: readonly number[],
  sloLatencyMs: number | undefined,
): number {
  const isInTime = (row: number) => latencyMsOf(records, row) <= (sloLatencyMs ?? Number.NaN);
  const correct = replies.filter(isInTime).reduce((sum, row) => sum + Math.max(0, records.top1Correct[row] ?? 0), 0);
  return sloLatencyMs === undefined ? Number.NaN : correct;
}

/** Mean of a column of microseconds over the rows that have it, milliseconds. */
function meanMs(columnUs: Float32Array, rows: readonly number[]): number {
  const known = rows.map((row) => columnUs[row] ?? Number.NaN).filter((valueUs) => !Number.isNaN(valueUs));
  return known.reduce((sum, valueUs) => sum + valueUs, 0) / known.length / (NS_PER_MS / NS_PER_US);
}

/** Share of hits among the requests whose server said; NaN where it never did. */
function cacheHitRate({ cacheHit }: RequestRecords, rows: readonly number[]): number {
  const known = rows.filter((row) => cacheHit[row] !== -1);
  return known.filter((row) => cacheHit[row] === 1).length / known.length;
}

/** Time that requests spent in the system within the window, over its length. */
function meanInSystem({ count, intendedNs, doneNs }: RequestRecords, startNs: number, endNs: number): number {
  let totalNs = 0;
  for (let row = 0; row < count; row++) {
    const overlapNs = Math.min(doneNs[row] ?? 0, endNs) - Math.max(intendedNs[row] ?? 0, startNs);
    if (overlapNs > 0) totalNs += overlapNs;
  }
  return totalNs / (endNs - startNs);
}

function rowsWithin(timesNs: Float64Array, startNs: number, endNs: number): number[] {
  const rows: number[] = [];
  for (const [row, timeNs] of timesNs.entries()) if (timeNs >= startNs && timeNs < endNs) rows.push(row);
  return rows;
}

function onlyNumbers(responses: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(responses).filter(([, value]) => Number.isFinite(value)));
}
