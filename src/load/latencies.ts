import { NS_PER_MS } from '../units.ts';
import { OUTCOME, type RequestRecords } from './types.ts';

/**
 * Whether a request's latency is known or known to be at least something: an answer's is known, a timeout's and a dropped one's end with giving up. An error has none.
 */
export function hasLatency(outcome: number | undefined): boolean {
  return outcome === OUTCOME.ok || isCensored(outcome);
}

/** Whether the request was given up while it waited, so that its latency is a lower bound. */
export function isCensored(outcome: number | undefined): boolean {
  return outcome === OUTCOME.timeout || outcome === OUTCOME.unanswered;
}

/** From the intended send to the end, milliseconds. */
export function latencyMsOf(records: RequestRecords, row: number): number {
  return ((records.doneNs[row] ?? Number.NaN) - (records.intendedNs[row] ?? Number.NaN)) / NS_PER_MS;
}

/**
 * Latencies in the order in which requests were due, milliseconds: the series in which a warm-up or a correlation shows. Timeouts stand at the timeout; errors have no latency.
 *
 * @param window - only requests due from `startNs` up to but not including `endNs`
 */
export function latenciesMsInOrder(
  records: RequestRecords,
  window: { readonly startNs: number; readonly endNs: number } = { startNs: 0, endNs: Number.POSITIVE_INFINITY },
): Float64Array {
  const { intendedNs, outcome } = records;
  const rows = Array.from(intendedNs.keys())
    .filter((row) => hasLatency(outcome[row]) && isWithin(intendedNs[row] ?? Number.NaN, window))
    .sort((a, b) => (intendedNs[a] ?? 0) - (intendedNs[b] ?? 0));
  return Float64Array.from(rows, (row) => latencyMsOf(records, row));
}

function isWithin(timeNs: number, { startNs, endNs }: { readonly startNs: number; readonly endNs: number }): boolean {
  return timeNs >= startNs && timeNs < endNs;
}
