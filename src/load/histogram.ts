import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  JsHistogram,
} from 'hdr-histogram-js';
import { NS_PER_MS, NS_PER_US } from '../units.ts';
import { hasLatency, latencyMsOf } from './latencies.ts';
import type { RequestRecords } from './types.ts';

/** A stretch of the records' clock: from `startNs` up to but not including `endNs`. */
export interface HistogramWindow {
  readonly startNs: number;
  readonly endNs: number;
}

const US_PER_MS = NS_PER_MS / NS_PER_US;
/** Values are kept to three digits: within 0.1 %. */
const DIGITS = 3;
const BUCKET_BITS = 64;

/** An empty histogram of microseconds that grows with its values. */
export function createLatencyHistogram(): Histogram {
  return build({ bitBucketSize: BUCKET_BITS, autoResize: true, numberOfSignificantValueDigits: DIGITS });
}

/** Adds the latencies of the requests due in the window: answers and, at the time they were given up, timeouts and dropped ones. Errors have none. */
export function recordLatencies(histogram: Histogram, records: RequestRecords, window: HistogramWindow): void {
  for (const row of rowsDue(records, window)) {
    if (hasLatency(records.outcome[row])) histogram.recordValue(Math.round(latencyMsOf(records, row) * US_PER_MS));
  }
}

/** Adds the send lags (intended to sent) of the requests due in the window that were sent, also of those that waited for a client. */
export function recordSendLags(histogram: Histogram, records: RequestRecords, window: HistogramWindow): void {
  for (const row of rowsDue(records, window)) {
    const lagNs = (records.sentNs[row] ?? Number.NaN) - (records.intendedNs[row] ?? Number.NaN);
    if (!Number.isNaN(lagNs)) histogram.recordValue(Math.round(lagNs / NS_PER_US));
  }
}

/** The histogram in the compressed HDR format (V2), base64, as other HdrHistogram tools read it. */
export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}

/** @throws Error for text that is not an encoded histogram */
export function decodeHistogram(text: string): Histogram {
  return decodeFromCompressedBase64(text, BUCKET_BITS);
}

/**
 * Every value of a histogram of microseconds, ascending, milliseconds; each within 0.1 % of what was recorded.
 *
 * @throws Error for text that is not an encoded histogram
 */
export function readLatenciesMs(text: string): Float64Array {
  const histogram = decodeHistogram(text);
  if (!(histogram instanceof JsHistogram)) throw new Error('a histogram was decoded to something without its values');
  const valuesMs = new Float64Array(histogram.totalCount);
  const recorded = histogram.recordedValuesIterator;
  recorded.reset();
  for (let from = 0; recorded.hasNext(); ) {
    const { valueIteratedTo, countAddedInThisIterationStep } = recorded.next();
    const to = from + countAddedInThisIterationStep;
    valuesMs.fill(histogram.medianEquivalentValue(valueIteratedTo) / US_PER_MS, from, to);
    from = to;
  }
  return valuesMs;
}

/** A percentile of a histogram of microseconds, milliseconds; NaN where it is empty. Within 0.1 % of the exact one. */
export function readPercentileMs(histogram: Histogram, percentile: number): number {
  return histogram.totalCount === 0 ? Number.NaN : histogram.getValueAtPercentile(percentile) / US_PER_MS;
}

function* rowsDue({ intendedNs }: RequestRecords, { startNs, endNs }: HistogramWindow): Generator<number> {
  for (const [row, timeNs] of intendedNs.entries()) if (timeNs >= startNs && timeNs < endNs) yield row;
}
