import { expect, test } from 'vitest';
import { minimumSample } from '../../src/analysis/index.ts';

// Source: MLPerf LoadGen's early stopping, loadgen/early_stopping.cc, evaluated at 99 % confidence.

test.each([
  [0.5, 11],
  [0.9, 64],
  [0.95, 130],
  [0.99, 662],
  [0.999, 6636],
])('the percentile %d needs %d requests', (percentile, requests) => {
  expect(minimumSample(percentile)).toBe(requests);
});

test.each([
  [0.9, 0, 44],
  [0.99, 0, 459],
  [0.95, 10, 398],
  [0.999, 10, 20140],
])('the percentile %d with %d exceedances needs %d requests', (percentile, exceedances, requests) => {
  expect(minimumSample(percentile, 0.99, exceedances)).toBe(requests);
});

test('a percentile outside of 0 to 1 is refused', () => {
  expect(() => minimumSample(99)).toThrow('a percentile of 99 is not between 0 and 1');
});
