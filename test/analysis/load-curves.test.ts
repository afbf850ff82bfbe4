import { expect, test } from 'vitest';
import { analyzeTable, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';

/** Power is 10, 16, 13 and 6: the knee is at the second load. */
const CURVE = [
  ['light', 20, 2],
  ['medium', 48, 3],
  ['high', 65, 5],
  ['full', 66, 11],
] as const;

function kneesOf(closedLoads: readonly string[]) {
  const records = CURVE.map(([load, achieved_rps, latency_mean_ms]) => ({ load, achieved_rps, latency_mean_ms }));
  const analysis = analyzeTable(tableFromRecords(records, ['load']), {
    factors: ['load'],
    objectives: [{ response: 'latency_mean_ms', direction: 'minimize' }],
    contexts: [],
    closedLoads,
  });
  const { columns, rows } = RESULT_TABLES['load-curves.csv']?.(analysis) ?? { columns: [], rows: [] };
  return [...rows].map((row) => row[columns.indexOf('is_knee')]);
}

test('the knee is where throughput over latency is greatest', () => {
  expect(kneesOf([])).toEqual([false, true, false, false]);
  expect(kneesOf(CURVE.map(([load]) => load))).toEqual([false, true, false, false]);
});

test('open and closed loops lie on no common curve, so that it has no knee', () => {
  expect(kneesOf(['full'])).toEqual([undefined, undefined, undefined, undefined]);
});
