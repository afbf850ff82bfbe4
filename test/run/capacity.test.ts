import { expect, test } from 'vitest';
import { type CapacityPoint, isSaturated, pooledPlateauRps } from '../../src/run/capacity.ts';

const points = (...throughputs: number[]): CapacityPoint[] =>
  throughputs.map((throughputRps, index) => ({ concurrency: 2 ** index, requests: throughputRps, throughputRps }));

test('capacity is not reached while doubling the concurrency still pays', () => {
  expect(isSaturated(points(100, 190, 300, 400))).toBe(false);
});

test('capacity is not decided by fewer than four points', () => {
  expect(isSaturated(points(100, 100, 100))).toBe(false);
});

test('capacity is reached when the best of the last four points gains under 5 % over the first of them', () => {
  expect(isSaturated(points(100, 200, 204, 203, 202))).toBe(true);
  expect(isSaturated(points(100, 200, 211, 203, 202))).toBe(false);
});

test('a throughput that falls with concurrency is saturated too', () => {
  expect(isSaturated(points(200, 190, 150, 120))).toBe(true);
});

test('capacity pools the points within 5 % of the best, so that it is not the luckiest of them', () => {
  // Each point lasted one second: (200 + 204 + 196) replies in 3 s.
  expect(pooledPlateauRps(points(100, 200, 204, 196))).toBeCloseTo(200, 6);
});
