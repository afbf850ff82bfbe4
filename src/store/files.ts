import { join } from 'node:path';
import type { HistogramKind } from './types.ts';

/** Names inside a result folder. */
export const FILES = {
  manifest: 'manifest.json',
  manifestHistory: 'manifests',
  journal: 'journal.jsonl',
  trialsCsv: 'trials.csv',
  histograms: 'histograms',
  seconds: 'seconds',
  logs: 'logs',
  lock: 'dse.lock',
} as const;

/** Path of a histogram of one attempt (HdrHistogram V2, compressed, base64; microseconds). */
export function histogramPath(outDir: string, trialId: string, kind: HistogramKind, attempt: number): string {
  return join(outDir, FILES.histograms, `${attemptName(trialId, attempt)}.${kind}.hdr`);
}

/** Path of what one attempt measured second by second. */
export function secondsPath(outDir: string, trialId: string, attempt: number): string {
  return join(outDir, FILES.seconds, `${attemptName(trialId, attempt)}.csv`);
}

/** The first attempt, which mostly is the only one, has the bare name. */
function attemptName(trialId: string, attempt: number): string {
  return attempt === 1 ? trialId : `${trialId}-attempt${attempt}`;
}
