import { expect, test } from 'vitest';
import { summarizeSeconds } from '../../src/load/index.ts';
import { makeRecords } from './make-records.ts';

test('each whole second of a window is summarized by itself', () => {
  const records = makeRecords([
    { intended: 500, done: 600 },
    { intended: 1000, done: 1900 },
    { intended: 1800, done: 2100 },
    { intended: 2500, done: 2510, outcome: 'reset' },
    { intended: 3200, done: 3300 },
  ]);
  const seconds = [...summarizeSeconds(records, { startNs: 1000e6, endNs: 3500e6, timeoutMs: 1000 })];
  expect(seconds.map(({ second, summary }) => [second, summary.requests, summary.achievedRps, summary.errors])).toEqual(
    [
      [0, 2, 1, 0],
      [1, 1, 1, 1],
    ],
  );
});
