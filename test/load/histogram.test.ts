import { expect, test } from 'vitest';
import {
  createLatencyHistogram,
  decodeHistogram,
  encodeHistogram,
  readLatenciesMs,
  readPercentileMs,
  recordLatencies,
  recordSendLags,
} from '../../src/load/index.ts';
import { makeRecords } from './make-records.ts';

const window = { startNs: 0, endNs: 1e12 };

test('a latency histogram comes back from its file as it was, within 0.1 % of the exact percentiles', () => {
  const requests = Array.from({ length: 5000 }, (_, index) => ({
    intended: index,
    done: index + 0.05 * 1.003 ** index,
  }));
  const histogram = createLatencyHistogram();
  recordLatencies(histogram, makeRecords(requests), window);
  const read = decodeHistogram(encodeHistogram(histogram));
  expect(read.totalCount).toBe(5000);
  for (const percentile of [1, 50, 90, 99, 99.9]) {
    const exactMs = 0.05 * 1.003 ** (Math.ceil((percentile / 100) * 5000) - 1);
    expect(readPercentileMs(read, percentile)).toBe(readPercentileMs(histogram, percentile));
    expect(Math.abs(readPercentileMs(read, percentile) / exactMs - 1)).toBeLessThan(0.01);
  }
  expect(readPercentileMs(read, 99) / (0.05 * 1.003 ** 4949)).toBeCloseTo(1, 2);
});

test('the values of a kept histogram come back in order, each within 0.1 % or half a microsecond', () => {
  const latenciesMs = Array.from({ length: 3000 }, (_, index) => 0.004 * 1.005 ** index).reverse();
  const histogram = createLatencyHistogram();
  recordLatencies(
    histogram,
    makeRecords(latenciesMs.map((ms, index) => ({ intended: index, done: index + ms }))),
    window,
  );
  const values = readLatenciesMs(encodeHistogram(histogram));
  expect(values).toHaveLength(3000);
  for (const [index, exactMs] of latenciesMs.toReversed().entries()) {
    expect(Math.abs((values[index] as number) - exactMs)).toBeLessThan(Math.max(exactMs * 1e-3, 0.0011));
  }
});

test('timeouts stand in the latency histogram at the timeout; errors and other windows do not stand in it', () => {
  const histogram = createLatencyHistogram();
  recordLatencies(
    histogram,
    makeRecords([
      { intended: 10, done: 20 },
      { intended: 20, done: 520, outcome: 'timeout' },
      { intended: 30, done: 40, outcome: 'reset' },
      { intended: 100, done: 110 },
    ]),
    { startNs: 0, endNs: 100e6 },
  );
  expect(histogram.totalCount).toBe(2);
  expect(readPercentileMs(histogram, 100)).toBeCloseTo(500, -1);
});

test('the send lag histogram holds each request that was sent', () => {
  const histogram = createLatencyHistogram();
  recordSendLags(
    histogram,
    makeRecords([
      { intended: 10, sent: 10.25, done: 20 },
      { intended: 20, sent: 120, done: 130, waited: true },
      { intended: 30, sent: Number.NaN, done: 40, outcome: 'unanswered' },
    ]),
    window,
  );
  expect(histogram.totalCount).toBe(2);
  expect(readPercentileMs(histogram, 50)).toBeCloseTo(0.25, 3);
  expect(readPercentileMs(histogram, 100)).toBeCloseTo(100, -1);
});

test('an empty histogram has no percentile', () => {
  expect(readPercentileMs(createLatencyHistogram(), 50)).toBeNaN();
});
