import { expect, test } from 'vitest';
import { findHeader, parseKeepAliveMs, parseServerTiming } from '../../src/load/generator/reply-headers.ts';

test.each([
  ['queue;dur=0.123, compute;dur=4.321', 123, 4321],
  ['compute;desc="onnx";dur=4,queue;dur="0.5"', 500, 4000],
  ['cache;desc="queue;dur=9", compute; dur = 2', Number.NaN, 2000],
  ['queue, compute;dur=slow', Number.NaN, Number.NaN],
  [undefined, Number.NaN, Number.NaN],
])('Server-Timing: %s', (header, queueUs, computeUs) => {
  expect(parseServerTiming(header)).toEqual({ queueUs, computeUs });
});

test.each([
  ['timeout=5', 5000],
  ['max=100, timeout=72', 72_000],
  ['max=100', Number.POSITIVE_INFINITY],
  [undefined, Number.POSITIVE_INFINITY],
])('Keep-Alive: %s', (header, expectedMs) => {
  expect(parseKeepAliveMs(header)).toBe(expectedMs);
});

test('headers are found whatever their case', () => {
  expect(findHeader(['Content-Length', '3', 'SERVER-timing', 'x'], 'server-timing')).toBe('x');
  expect(findHeader(['a', 'server-timing'], 'server-timing')).toBeUndefined();
});
