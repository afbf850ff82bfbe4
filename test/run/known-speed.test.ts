import path from 'node:path';
import { expect } from 'vitest';
import { createFakePowercap } from '../energy/fake-powercap.ts';
import { onQuietMachine } from '../quiet-machine.ts';
import { test } from './folder-fixture.ts';
import { byLoad, runOnKnownServer, specOf } from './known-run.ts';

const SERVICE_MS = 20;
const WATTS = 40;

test('a server of known speed and a meter of known power give the latency, throughput, accuracy and joules known beforehand', {
  timeout: 180_000,
}, async ({ folder, skip }) => {
  await using powercap = await createFakePowercap(path.join(folder, 'powercap'), [
    { folder: 'intel-rapl:0', name: 'package-0', watts: WATTS, rangeJ: WATTS * 3 },
  ]);
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
