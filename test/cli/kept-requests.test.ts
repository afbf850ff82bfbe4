import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readKeptRequests } from '../../src/cli/kept-requests.ts';
import { createLatencyHistogram, encodeHistogram } from '../../src/load/index.ts';
import { manifestInput } from '../store/examples.ts';
import { scratchFolder } from './dse.ts';

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
