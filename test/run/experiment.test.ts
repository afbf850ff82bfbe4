import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as base, expect, onTestFinished } from 'vitest';
import type { TrialRecord } from '../../src/store/index.ts';
import { createFakePowercap } from '../energy/fake-powercap.ts';
import { onQuietMachine } from '../quiet-machine.ts';
import { runOnKnownServer, specOf } from './known-run.ts';

const SERVICE_MS = 20;
const WATTS = 40;

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures a fixture needs from this pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dse-run-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
});

function byLoad(records: readonly TrialRecord[], load: string): Extract<TrialRecord, { state: 'done' }> {
  const record = records.find(({ factors }) => factors.load === load);
  if (record?.state !== 'done') throw new Error(`no measured trial under load ${load}: ${JSON.stringify(record)}`);
  return record;
}

test('a server of known speed and a meter of known power give the latency, throughput, accuracy and joules known beforehand', {
  timeout: 180_000,
}, async ({ folder, skip }) => {
  const powercap = await createFakePowercap(path.join(folder, 'powercap'), [
    { folder: 'intel-rapl:0', name: 'package-0', watts: WATTS, rangeJ: WATTS * 3 },
  ]);
  onTestFinished(() => powercap[Symbol.asyncDispose]());
  let attempts = 0;
  await onQuietMachine({ skip }, async () => {
    const spec = specOf(
      '  one: { concurrency: 1 }\n  two: { concurrency: 2 }\n  half: { utilization: 0.5, arrivals: constant }',
    ).replace('source: none', `source: rapl, powercap_root: ${powercap.root}, idle: 1s`);
    const { records } = await runOnKnownServer(path.join(folder, `attempt-${++attempts}`), spec);
    const capacityRps = 1000 / SERVICE_MS;

    const one = byLoad(records, 'one').responses;
    expect(one.capacity_rps).toBeGreaterThan(capacityRps * 0.95);
    expect(one.capacity_rps).toBeLessThan(capacityRps * 1.01);
    expect(one.compute_ms).toBeCloseTo(SERVICE_MS, 1);
    expect(one.queue_ms).toBeLessThan(1);
    expect(Number(one.latency_mean_ms)).toBeGreaterThan(SERVICE_MS);
    expect(one.throughput_ips).toBe(Number(one.achieved_rps) * 2);

    // With two clients and one worker the second always waits for the first.
    const two = byLoad(records, 'two').responses;
    expect(Number(two.latency_mean_ms) / SERVICE_MS).toBeGreaterThan(1.9);
    expect(Number(two.latency_mean_ms) / SERVICE_MS).toBeLessThan(2.2);
    expect(Number(two.achieved_rps) / capacityRps).toBeGreaterThan(0.95);
    expect(Number(two.achieved_rps) / capacityRps).toBeLessThan(1.02);

    // Constant arrivals at half the capacity never meet.
    const half = byLoad(records, 'half').responses;
    expect(Number(half.offered_rps) / Number(half.capacity_rps)).toBeCloseTo(0.5, 1);
    expect(half.queue_ms).toBeLessThan(1);

    for (const { responses, windows } of [byLoad(records, 'one'), byLoad(records, 'two'), byLoad(records, 'half')]) {
      // The counter wraps every three seconds, and the meter must not notice.
      expect(Number(responses.power_w) / WATTS).toBeGreaterThan(0.99);
      expect(Number(responses.power_w) / WATTS).toBeLessThan(1.01);
      expect(Number(responses.energy_gross_j) / (WATTS * 4)).toBeGreaterThan(0.98);
      expect(Number(responses.energy_gross_j) / (WATTS * 4)).toBeLessThan(1.02);
      expect(Math.abs(Number(responses.energy_net_j))).toBeLessThan(WATTS * 4 * 0.03);
      const perInferenceJ = WATTS / Number(responses.throughput_ips);
      expect(Number(responses.energy_per_inference_j) / perInferenceJ).toBeGreaterThan(0.98);
      expect(Number(responses.energy_per_inference_j) / perInferenceJ).toBeLessThan(1.02);
      expect(responses.energy_source).toBe('rapl');
      expect(responses.energy_per_request_j).toBeCloseTo(Number(responses.energy_per_inference_j) * 2, 9);
      // It calls every digit a 7, and a tenth of the digits are.
      expect(Number(responses.accuracy_top1)).toBeLessThan(0.3);
      expect(windows).toHaveLength(2);
    }
  });
});

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
