import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readKeptRequests } from '../../src/cli/kept-requests.ts';
import { createLatencyHistogram, encodeHistogram, recordLatencies } from '../../src/load/index.ts';
import { histogramPath, type Results } from '../../src/store/index.ts';
import { makeRecords } from '../load/make-records.ts';
import { manifestInput } from '../store/examples.ts';
import { scratchFolder } from './dse.ts';

const loads = {
  open: { kind: 'rate', rateRps: 30, arrivals: 'poisson' },
  closed: { kind: 'concurrency', concurrency: 4 },
  ramp: {
    kind: 'rate',
    rateRps: 30,
    arrivals: 'poisson',
    pattern: { kind: 'linear-ramp', from: 0.5, to: 1, overS: 5 },
  },
};

test('the requests of a trial come from its histogram, with what its load says of their dependence', async () => {
  const outDir = await mkdtemp(path.join(tmpdir(), 'dse-kept-'));
  onTestFinished(() => rm(outDir, { recursive: true, force: true }));
  const file = histogramPath(outDir, 'abc', 'latency', 2);
  const histogram = createLatencyHistogram();
  const requests = [3, 1, 2].map((latency, index) => ({ intended: index, done: index + latency }));
  recordLatencies(histogram, makeRecords(requests), { startNs: 0, endNs: 1e9 });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, encodeHistogram(histogram));

  const folder = { outDir, manifest: { spec: { loads } } } as unknown as Results;
  const row = { trial_id: 'abc', attempt: 2, verdict: 'valid', offered_rps: 30, capacity_rps: 60 };
  const open = readKeptRequests({ ...row, load: 'open' }, folder);
  expect(open?.load).toEqual({ kind: 'open', utilization: 0.5 });
  expect([...(open?.latenciesMs ?? [])].map((ms) => Math.round(ms * 100) / 100)).toEqual([1, 2, 3]);

  const loadOf = (cells: Readonly<Record<string, string>>) => readKeptRequests({ ...row, ...cells }, folder)?.load;
  expect(loadOf({ load: 'closed' })).toEqual({ kind: 'closed', concurrency: 4 });
  expect(loadOf({ load: 'ramp' })).toBe('changing');
  expect(loadOf({ load: 'open', verdict: 'overloaded' })).toEqual({ kind: 'open', utilization: 1 });
  expect(readKeptRequests({ ...row, attempt: 1, load: 'open' }, folder)).toBeUndefined();
});

test('requests of a trial that does not say how loaded the server was are not taken for anything', async () => {
  await using scratch = await scratchFolder();
  const histogram = createLatencyHistogram();
  histogram.recordValue(4000);
  await mkdir(path.join(scratch.dir, 'histograms'));
  await writeFile(path.join(scratch.dir, 'histograms', 't1.latency.hdr'), encodeHistogram(histogram));
  const { spec } = manifestInput();
  const folder = { outDir: scratch.dir, manifest: { spec } } as Parameters<typeof readKeptRequests>[1];
  const row = { trial_id: 't1', attempt: 1, load: 'light', verdict: 'valid', offered_rps: 10 };
  expect(readKeptRequests(row, folder)).toBeUndefined();
  expect(readKeptRequests({ ...row, capacity_rps: 40 }, folder)?.load).toEqual({ kind: 'open', utilization: 0.25 });
});
