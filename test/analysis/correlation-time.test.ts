import { expect, test } from 'vitest';
import { correlationTime, describe as describeValues } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';
import { simulateQueue } from './queue-traces.ts';

/** Variance of the means of long batches, against that of independent latencies. */
function inflationOf(service: 'exponential' | 'fixed', utilization: number): number {
  const length = 1000;
  const latencies = simulateQueue(service, utilization, 1000 * length, createRng(3));
  const means = Float64Array.from(
    { length: 1000 },
    (_, batch) => describeValues(latencies.subarray(batch * length, (batch + 1) * length)).mean,
  );
  return (length * describeValues(means).sd ** 2) / describeValues(latencies).sd ** 2;
}

test('the correlation time is that of an M/M/1 queue', () => {
  // Latencies hold the service too, which is independent of the wait and dilutes the correlation a little.
  const inflation = inflationOf('exponential', 0.5);
  expect(inflation).toBeGreaterThan(0.75 * correlationTime({ kind: 'open', utilization: 0.5 }));
  expect(inflation).toBeLessThan(1.05 * correlationTime({ kind: 'open', utilization: 0.5 }));
});

test('a fixed service time correlates less', () => {
  expect(inflationOf('fixed', 0.5)).toBeLessThan(0.7 * correlationTime({ kind: 'open', utilization: 0.5 }));
});

test('it grows with the load without end, and is the number of clients in a closed loop', () => {
  const times = [0, 0.3, 0.5, 0.7, 0.9, 0.99, 1].map((utilization) => correlationTime({ kind: 'open', utilization }));
  expect(times[0]).toBe(1);
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect(times.at(-1)).toBe(Number.POSITIVE_INFINITY);
  expect(correlationTime({ kind: 'closed', concurrency: 8 })).toBe(8);
});

test('impossible loads are refused', () => {
  expect(() => correlationTime({ kind: 'open', utilization: -0.1 })).toThrow(
    'a utilization of -0.1 is not a share of capacity',
  );
  expect(() => correlationTime({ kind: 'open', utilization: Number.NaN })).toThrow('a utilization of NaN');
  expect(() => correlationTime({ kind: 'closed', concurrency: 0 })).toThrow('a concurrency of 0 is below 1');
});
