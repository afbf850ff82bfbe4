import { expect } from 'vitest';
import { test } from './folder-fixture.ts';
import { byLoad, runOnKnownServer, specOf } from './known-run.ts';

test('a server that dies in the window fails that trial with its exit, and the next trial gets a new one', {
  timeout: 60_000,
}, async ({ folder }) => {
  // Readiness and calibration take about 190 requests of 20 ms; then the first trial has about 50 a second.
  const { outcome, records, events } = await runOnKnownServer(
    folder,
    specOf('  one: { concurrency: 1 }\n  two: { concurrency: 2 }'),
    { behaviour: ['exits-after', '120'] },
  );
  expect(outcome.counts.failed).toBeGreaterThan(0);
  const failed = records.find(({ state }) => state === 'failed');
  expect(failed).toMatchObject({ state: 'failed', exit: { exitCode: 3 } });
  expect(failed?.state === 'failed' && failed.reason).toContain('the server ended with exit code 3');
  expect(events.filter(({ type }) => type === 'server-starting').length).toBeGreaterThan(1);
  expect(outcome.outcome).toBe('complete');
});

test('a server that does not serve as it was told fails every trial of its configuration, with what differs', async ({
  folder,
}) => {
  const { records } = await runOnKnownServer(folder, specOf('  a: { rate: 10 }\n  b: { rate: 20 }'), {
    behaviour: ['serves-otherwise'],
  });
  expect(records).toHaveLength(2);
  for (const record of records) {
    expect(record).toMatchObject({
      state: 'failed',
      phase: 'ready',
      reason: 'the server does not serve as it was told: asked for max_batch "off", but it reads back 7',
    });
  }
});

test('a server that never becomes ready fails every trial of its configuration, with what it answered', {
  timeout: 60_000,
}, async ({ folder }) => {
  const { outcome, records } = await runOnKnownServer(
    folder,
    specOf('  one: { concurrency: 1 }\n  two: { concurrency: 2 }'),
    { behaviour: ['never-ready'] },
  );
  expect(outcome.counts).toEqual({ done: 0, failed: 2, invalid: 0 });
  for (const record of records) {
    expect(record).toMatchObject({ state: 'failed', phase: 'ready', reason: expect.stringContaining('answered 503') });
  }
});

test('a server that answers errors makes the trial invalid, with their number and kind, and each retry is kept', {
  timeout: 60_000,
}, async ({ folder }) => {
  const loads = '  one: { concurrency: 1 }\n  two: { concurrency: 2 }';
  const spec = specOf(loads, ', retries: 1').replace('window: 2s, windows: 2', 'window: 1s, windows: 1');
  const { records } = await runOnKnownServer(folder, spec, { behaviour: ['answers-500', '300'] });
  const broken = records.find((record) => record.state === 'done' && Number(record.responses.http_5xx_count) > 0);
  expect(broken).toMatchObject({
    verdict: 'invalid',
    reasons: expect.arrayContaining([expect.objectContaining({ code: 'errors' })]),
  });
  // Once it answers errors it does so for good, so the trial is tried once more in vain.
  const attempts = records.filter(({ trialId }) => trialId === broken?.trialId).map(({ attempt }) => attempt);
  expect(attempts).toEqual([1, 2]);
});

test('a load with a pattern is measured second by second, and the highest rate within the objective is found', {
  timeout: 60_000,
}, async ({ folder }) => {
  const { records } = await runOnKnownServer(
    folder,
    specOf(
      '  step: { rate: 10, arrivals: constant, pattern: { step: 300%, at: 2s } }\n  steady: { rate: 10, arrivals: constant }',
      ', slo: { latency_ms: 30 }',
    ),
  );
  const step = byLoad(records, 'step').responses;
  // 10 requests/s for two seconds and 30 for two.
  expect(Number(step.offered_rps)).toBeGreaterThan(18);
  expect(Number(step.offered_rps)).toBeLessThan(22);
  expect(step.interval_notes).toContain('the load changes by design');
  const steady = byLoad(records, 'steady').responses;
  expect(Number(steady.offered_rps)).toBeCloseTo(10, 0);
  // Poisson arrivals of 20 ms each within 30 ms: some rate below the capacity of 50.
  expect(Number(steady.capacity_slo_rps)).toBeGreaterThan(1);
  expect(Number(steady.capacity_slo_rps)).toBeLessThan(45);
});
