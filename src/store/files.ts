import { join } from 'node:path';

/** Names inside a result folder. */
export const FILES = {
  manifest: 'manifest.json',
  manifestHistory: 'manifests',
  journal: 'journal.jsonl',
  trialsCsv: 'trials.csv',
  histograms: 'histograms',
  logs: 'logs',
  lock: 'dse.lock',
} as const;

/** Path of one attempt's latency histogram (HDR percentile distribution, microseconds). */
export function histogramPath(outDir: string, trialId: string, attempt: number): string {
  return join(outDir, FILES.histograms, attempt === 1 ? `${trialId}.hgrm` : `${trialId}-attempt${attempt}.hgrm`);
}
