import { expect, test } from 'vitest';
import { createRng } from '../../src/rng.ts';
import { queueTruth, simulateQueue } from './queue-traces.ts';

test.each(['exponential', 'fixed'] as const)(
  'a long trace with %s service has the mean and quantiles of theory',
  (service) => {
    const sorted = simulateQueue(service, 0.7, 1_000_000, createRng(11)).sort();
    const truth = queueTruth(service, 0.7);
    const quantile = (share: number) => sorted[Math.floor(share * sorted.length)] as number;
    expect(sorted.reduce((sum, value) => sum + value, 0) / sorted.length / truth.mean).toBeCloseTo(1, 1);
    expect(quantile(0.5) / truth.p50).toBeCloseTo(1, 1);
    expect(quantile(0.95) / truth.p95).toBeCloseTo(1, 1);
    expect(quantile(0.99) / truth.p99).toBeCloseTo(1, 1);
  },
);

test('the median request of a queue with fixed service that is idle half the time does not wait', () => {
  expect(queueTruth('fixed', 0.3).p50).toBe(1);
});
