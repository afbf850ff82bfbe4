import {
  createLatencyHistogram,
  encodeHistogram,
  recordLatencies,
  recordSendLags,
  summarizeSeconds,
} from '../load/index.ts';
import { renderCsv } from '../store/index.ts';
import { levelValue } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import type { Observations } from './measurement.ts';
import { hasPattern } from './running-load.ts';
import type { TrialIdentity } from './trial.ts';
import { spanOf } from './windows.ts';

/** Keeps what is too much for a row: the histograms of latency and send lag and, under a load that changes, the responses second by second. */
export async function keepSideFiles(
  { trial, offered, windows, records }: Omit<Observations, 'intervals' | 'context' | 'neighbours'>,
  { trialId, attempt }: TrialIdentity,
  { store, spec }: RunContext,
): Promise<void> {
  const span = spanOf(windows.edges);
  const latencies = createLatencyHistogram();
  recordLatencies(latencies, records, span);
  await store.writeHistogram(trialId, 'latency', encodeHistogram(latencies), attempt);
  const lags = createLatencyHistogram();
  recordSendLags(lags, records, span);
  await store.writeHistogram(trialId, 'send-lag', encodeHistogram(lags), attempt);
  if (!hasPattern(offered)) return;

  const { timeoutMs, sloLatencyMs } = spec.measure;
  const seconds = [
    ...summarizeSeconds(records, {
      ...span,
      timeoutMs,
      batch: levelValue<number>(trial.levels, 'batch'),
      ...(sloLatencyMs === undefined ? {} : { sloLatencyMs }),
    }),
  ];
  const columns = [...new Set(seconds.flatMap(({ summary }) => Object.keys(summary.responses)))];
  const rows = seconds.map(({ second, summary }) => [second, ...columns.map((column) => summary.responses[column])]);
  await store.writeSeconds(trialId, renderCsv(['second', ...columns], rows), attempt);
}
