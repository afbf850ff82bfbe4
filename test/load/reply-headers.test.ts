import { expect, test } from 'vitest';
import { findHeader, parseKeepAliveMs, parseServerTiming } from '../../src/load/generator/reply-headers.ts';

test.each([
  ['queue;dur=0.123, compute;dur=4.321', 123, 4321, -1],
  ['compute;desc="onnx";dur=4,queue;dur="0.5"', 500, 4000, -1],
  ['cache;desc="queue;dur=9", compute; dur = 2', Number.NaN, 2000, -1],
  ['queue;dur=0, compute;dur=0, cache;desc=hit', 0, 0, 1],
  ['cache;desc=miss, compute;dur=1', Number.NaN, 1000, 0],
  ['queue, compute;dur=slow', Number.NaN, Number.NaN, -1],
  [undefined, Number.NaN, Number.NaN, -1],
])('Server-Timing: %s', (header, queueUs, computeUs, cacheHit) => {
  expect(parseServerTiming(header)).toEqual({ queueUs, computeUs, cacheHit });
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
