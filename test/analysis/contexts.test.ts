import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { correlationInterval, shareInterval } from '../../src/analysis/coefficient-intervals.ts';
import { kolmogorovSmirnov, kullbackLeibler } from '../../src/analysis/distribution-distance.ts';
import { analyzeTable, type CellValue, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { KNOWN_FACTORS, knownTable } from './known-effects.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

function read(name: string, analysis: ReturnType<typeof analyzeTable>) {
  const { columns, rows } = (RESULT_TABLES[name] as (typeof RESULT_TABLES)[string])(analysis);
  return [...rows].map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

function analyze(records: Records, options: Partial<Parameters<typeof analyzeTable>[1]> = {}) {
  return analyzeTable(tableFromRecords(records, ['host', 'id']), {
    factors: ['host', 'id'],
    objectives: [{ response: 'y', direction: 'minimize' }],
    contexts: ['host'],
    ...options,
  });
}

const X = [2.1, 3.4, 1.9, 5.6, 4.4, 7.2, 6.1, 3.3];
const Y = [4.0, 6.9, 4.1, 11.5, 8.2, 14.9, 12.0, 7.1];
const TWO_HOSTS = X.flatMap((x, id) => [
  { host: 'a', id, y: x },
  { host: 'b', id, y: Y[id] as number },
]);

describe('consistency', () => {
  test('has the line and coefficients with their intervals', () => {
    const [row] = read('consistency.csv', analyze(TWO_HOSTS));
    // scipy 1.17.1: stats.linregress with Student's t
    const expected = {
      slope: 2.0227272727272725,
      slope_lo: 1.8204448273283,
      slope_hi: 2.2250097181262447,
      intercept: -0.009090909090907928,
      intercept_lo: -0.9422248944375989,
      intercept_hi: 0.9240430762557831,
      r_squared: 0.9900774001249939,
    };
    for (const [name, value] of Object.entries(expected)) expect(row?.[name]).toBeCloseTo(value, 8);
    expect(row).toMatchObject({ n: 8, scale: 'linear', a: 'a', b: 'b' });
    expect(row?.pearson_lo).toBeLessThan(row?.pearson as number);
  });

  test('intervals agree with scipy and statsmodels', () => {
    // scipy 1.17.1: pearsonr(...).confidence_interval(0.95) for r = 0.738 over 8 pairs
    const { lo, hi } = correlationInterval('pearson', 0.7380952380952379, 8, 0.95);
    expect([lo, hi]).toEqual([expect.closeTo(0.06964660429650706, 10), expect.closeTo(0.9491173173934558, 10)]);
    // statsmodels 0.15.0: proportion_confint(method='wilson')
    expect(shareInterval(7, 9, 0.95)).toEqual({
      lo: expect.closeTo(0.45258896910698887, 10),
      hi: expect.closeTo(0.9367748928821533, 10),
    });
    expect(shareInterval(0, 5, 0.95)).toEqual({ lo: 0, hi: expect.closeTo(0.43448246478317487, 10) });
  });

  test('distances between distributions', () => {
    const a = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const b = Float64Array.of(3, 4, 5, 6, 7, 8, 9, 12);
    // scipy 1.17.1: stats.ks_2samp
    expect(kolmogorovSmirnov(a, b)).toBe(0.25);
    // Three bins of 11/3 from 1: 4, 4, 0 of a and 2, 4, 2 of b, with half counts over 9.5.
    const p = [4.5, 4.5, 0.5].map((count) => count / 9.5);
    const q = [2.5, 4.5, 2.5].map((count) => count / 9.5);
    expect(kullbackLeibler(a, b)).toBeCloseTo(
      p.reduce((sum, share, at) => sum + share * Math.log(share / (q[at] as number)), 0),
      12,
    );
    expect(kullbackLeibler(a, a)).toBe(0);
  });
});

describe('transfer', () => {
  test('tells what carrying the best over costs, worked out by hand', () => {
    // Best at a is 0 (y 1); at b it takes 4 and the best there is 1 with 2: regret 1. Best of b is 1, which at a takes 2: regret 1.
    const at = { a: [1, 2, 5, 9], b: [4, 2, 3, 8] };
    const records = (['a', 'b'] as const).flatMap((host) => at[host].map((y, id) => ({ host, id, y })));
    const rows = read('transfer.csv', analyze(records));
    expect(rows.map(({ from, to, regret, carried_id, best_id }) => [from, to, regret, carried_id, best_id])).toEqual([
      ['a', 'b', 1, '0', '1'],
      ['b', 'a', 1, '1', '0'],
    ]);
    expect(rows[0]).toMatchObject({ n: 4, top_k: 3, top_k_overlap: 3, front_overlap: 0, regret_lo: undefined });
  });

  test('a line from one machine to a slower one saves all but three measurements', () => {
    const rows = read(
      'transfer.csv',
      analyze(
        X.flatMap((x, id) => [
          { host: 'a', id, y: x },
          { host: 'b', id, y: 3 * x + 1 },
        ]),
      ),
    );
    expect(rows[0]).toMatchObject({ regret: 0, measurements: 3, measurements_saved: 5 });
  });

  test('replicates give the regret an interval, and a constraint is held to where the choice is made', () => {
    const records = [1, 2, 3].flatMap((replicate) =>
      TWO_HOSTS.map((row, at) => ({ ...row, y: row.y * (1 + ((replicate * 7 + at) % 5) / 20), cost: row.id })),
    );
    const free = read('transfer.csv', analyze(records));
    expect(free[0]?.regret_lo).toBeGreaterThanOrEqual(0);
    expect(free[0]?.regret_hi).toBeGreaterThanOrEqual(free[0]?.regret as number);
    const held = read(
      'transfer.csv',
      analyze(records, { constraints: [{ response: 'cost', relation: '>=', limit: 3 }] }),
    );
    expect(held[0]).toMatchObject({ n: 5, meets_constraints: true });
    expect(Number(held[0]?.carried_id)).toBeGreaterThanOrEqual(3);
  });

  test('regret is never negative, and carrying to the same values costs nothing', () => {
    const values = fc.array(fc.record({ a: fc.integer({ min: 1, max: 50 }), b: fc.integer({ min: 1, max: 50 }) }), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(values, fc.constantFrom('minimize', 'maximize'), (points, direction) => {
        const records = points.flatMap(({ a, b }, id) => [
          { host: 'a', id, y: a },
          { host: 'b', id, y: b },
          { host: 'c', id, y: a },
        ]);
        const rows = read('transfer.csv', analyze(records, { objectives: [{ response: 'y', direction }] }));
        for (const { from, to, regret } of rows) {
          expect(regret).toBeGreaterThanOrEqual(0);
          if ((from === 'a' && to === 'c') || (from === 'c' && to === 'a')) expect(regret).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test('influence that is the same on two machines is told so, and the interaction with it', () => {
  const records = [
    ...knownTable({ seed: 1, replicates: 3, noise: 0.03 }).map((row) => ({ ...row, host: 'fast' })),
    ...knownTable({ seed: 2, replicates: 3, noise: 0.03, slowdown: 2 }).map((row) => ({ ...row, host: 'slow' })),
  ];
  const factors = [...KNOWN_FACTORS, 'host'];
  const analysis = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'latency_p99_ms', direction: 'minimize' }],
    contexts: ['host'],
  });
  const rows = read('influence.csv', analysis).filter(({ response }) => response === 'latency_p99_ms');
  expect(rows.map(({ kind }) => kind)).toEqual(['main', 'interaction']);
  expect(rows[0]).toMatchObject({ same_sign_share: 1, terms: 4, significant_both: 4, importance_spearman: 1 });
  expect(rows[0]?.pearson).toBeGreaterThan(0.99);
  // The model and threads interact on both.
  expect(rows[1]?.significant_both).toBeGreaterThanOrEqual(1);
  const [line] = read('consistency.csv', analysis).filter(({ response }) => response === 'latency_p99_ms');
  // On a log scale twice as slow is a shift by log 2.
  expect(line?.slope).toBeCloseTo(1, 1);
  expect(line?.intercept).toBeCloseTo(Math.log(2), 0);
});

test('configurations that are invalid at both are counted, with how sure that is', () => {
  const isInvalid = { a: [1, 1, 1, 0, 0, 0], b: [1, 1, 0, 0, 0, 1] };
  const records = (['a', 'b'] as const).flatMap((host) =>
    isInvalid[host].map((bad, id) => ({
      host,
      id,
      y: id + 1,
      state: 'done',
      verdict: bad === 1 ? 'invalid' : 'valid',
    })),
  );
  const [row] = read('invalid-overlap.csv', analyze(records));
  expect(row).toMatchObject({ a: 'a', b: 'b', n: 6, invalid_a: 3, invalid_b: 3, invalid_both: 2 });
  expect(row?.also_invalid_b).toBeCloseTo(2 / 3, 12);
  expect(row?.also_invalid_b_lo).toBeLessThan(2 / 3);
});
