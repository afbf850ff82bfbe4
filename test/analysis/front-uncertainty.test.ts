import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTies, distanceToFront, findKnee } from '../../src/analysis/front-shape.ts';
import { hypervolume } from '../../src/analysis/hypervolume.ts';
import { analyzeTable, type CellValue, findFront, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';
import { KNOWN_FACTORS, knownTable } from './known-effects.ts';

function read(name: string, analysis: ReturnType<typeof analyzeTable>) {
  const { columns, rows } = (RESULT_TABLES[name] as (typeof RESULT_TABLES)[string])(analysis);
  return [...rows].map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

const MINIMIZE_BOTH = [
  { response: 'x', direction: 'minimize' },
  { response: 'y', direction: 'minimize' },
] as const;

function analyze(records: readonly Readonly<Record<string, CellValue>>[]) {
  return analyzeTable(tableFromRecords(records, ['id']), { factors: ['id'], objectives: MINIMIZE_BOTH, contexts: [] });
}

describe('hypervolume', () => {
  test('of fronts worked out by hand', () => {
    expect(hypervolume([[1]], [4])).toBe(3);
    expect(
      hypervolume(
        [
          [1, 3],
          [2, 2],
          [3, 1],
        ],
        [4, 4],
      ),
    ).toBe(6);
    // A box of 2x2x2 and one of 1x3x3 that share 1x2x2.
    expect(
      hypervolume(
        [
          [2, 2, 2],
          [3, 1, 1],
        ],
        [4, 4, 4],
      ),
    ).toBe(8 + 9 - 4);
    expect(hypervolume([[4, 0]], [4, 4])).toBe(0);
  });

  const points = fc.array(fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), { maxLength: 8 });

  test('never falls when a point is added, and is that of the front alone', () => {
    fc.assert(
      fc.property(points, fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), (all, added) => {
        const before = hypervolume(all, [10, 10, 10]);
        expect(hypervolume([...all, added], [10, 10, 10])).toBeGreaterThanOrEqual(before);
        const marks = findFront(
          [0, 1, 2].map((k) => ({
            direction: 'minimize',
            values: Float64Array.from(all, (point) => point[k] as number),
          })),
        );
        expect(
          hypervolume(
            all.filter((_, index) => marks[index] === 1),
            [10, 10, 10],
          ),
        ).toBe(before);
      }),
    );
  });

  test('is the number of cells that are dominated', () => {
    fc.assert(
      fc.property(points, (all) => {
        let cells = 0;
        for (let cell = 0; cell < 1000; cell++) {
          const corner = [cell % 10, Math.floor(cell / 10) % 10, Math.floor(cell / 100)];
          if (all.some((point) => point.every((value, k) => value <= (corner[k] as number)))) cells++;
        }
        expect(hypervolume(all, [10, 10, 10])).toBe(cells);
      }),
    );
  });
});

describe('the shape of a front', () => {
  const costs = [Float64Array.of(0, 0.2, 1, 0.6, 0.2), Float64Array.of(1, 0.2, 0, 0.5, 0.2)];

  test('its knee is the point that bulges furthest towards the ideal', () => {
    expect(findKnee(costs, [0, 1, 2])).toBe(1);
    expect(findKnee(costs, [0, 2])).toBeUndefined();
    expect(findKnee([Float64Array.of(0, 0.5, 1), Float64Array.of(1, 0.5, 0)], [0, 1, 2])).toBeUndefined();
  });

  test('a point is as far from it as the nearest improvement that would reach it', () => {
    expect(distanceToFront(costs, [0, 1, 2], 1)).toBe(0);
    // To (0.2, 0.2) the way is 0.4 and 0.3; to (1, 0) only 0.5 in the second.
    expect(distanceToFront(costs, [0, 1, 2], 3)).toBeCloseTo(0.5, 12);
  });

  test('points that are exactly equal are ties', () => {
    expect(countTies(costs, [0, 1, 2, 4])).toEqual(
      new Map([
        [0, 0],
        [1, 1],
        [2, 0],
        [4, 1],
      ]),
    );
  });
});

test('the front does not change when objectives are rescaled without changing their order', () => {
  const values = fc.array(fc.record({ x: fc.nat(20), y: fc.nat(20) }), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(values, (points) => {
      const frontOf = (rescale: (value: number) => number) =>
        findFront(
          (['x', 'y'] as const).map((key) => ({
            direction: 'minimize',
            values: Float64Array.from(points, (point) => rescale(point[key])),
          })),
        );
      expect(frontOf((value) => Math.exp(value / 3) - 7)).toEqual(frontOf((value) => value));
    }),
  );
});

describe('membership', () => {
  test('is sure for a configuration far ahead and a toss-up for two that are alike', () => {
    const noise = [0.97, 1, 1.03];
    const records = noise.flatMap((factor) => [
      { id: 'ahead', x: 1 * factor, y: 10 },
      { id: 'twin-a', x: 5 * factor, y: 5 },
      { id: 'twin-b', x: 5 / factor, y: 5 },
      { id: 'behind', x: 9 * factor, y: 11 },
    ]);
    const rows = read('pareto.csv', analyze(records));
    const p = Object.fromEntries(rows.map(({ id, p_on_front }) => [id, p_on_front as number]));
    expect(p.ahead).toBe(1);
    expect(p.behind).toBe(0);
    expect(p['twin-a']).toBeGreaterThan(0.35);
    expect(p['twin-a']).toBeLessThan(0.65);
    expect((p['twin-a'] as number) + (p['twin-b'] as number)).toBeCloseTo(1, 6);
    expect(rows.map(({ id, on_robust_front }) => [id, on_robust_front])).toEqual([
      ['ahead', true],
      ['twin-a', false],
      ['twin-b', false],
      ['behind', false],
    ]);
  });

  test('of single replicates follows from the intervals of their windows', () => {
    const records = [
      { id: 'a', x: 10, x_lo: 9, x_hi: 11, y: 1 },
      { id: 'b', x: 10.2, x_lo: 9.2, x_hi: 11.2, y: 1 },
      { id: 'c', x: 20, x_lo: 19, x_hi: 21, y: 1 },
    ];
    const [a, b, c] = read('pareto.csv', analyze(records));
    expect(a).toMatchObject({ p_source: 'windows', on_front: true, on_robust_front: false });
    // Two normals 0.2 apart, each with a standard deviation of 1 / 1.96: P = Phi(0.2 / (sqrt(2) / 1.96)) = 0.609.
    expect(a?.p_on_front).toBeCloseTo(0.609, 1);
    expect((a?.p_on_front as number) + (b?.p_on_front as number)).toBeCloseTo(1, 6);
    expect(c?.p_on_front).toBe(0);
  });

  test('is empty where nothing says how sure the means are, and fronts.csv says so', () => {
    const analysis = analyze([
      { id: 'a', x: 1, y: 2 },
      { id: 'b', x: 2, y: 1 },
    ]);
    expect(read('pareto.csv', analysis)[0]?.p_on_front).toBeUndefined();
    expect(read('fronts.csv', analysis)[0]).toMatchObject({
      on_front: 2,
      draws: undefined,
      hypervolume: 0,
      x_ideal: 1,
      x_reference: 2,
      p_empty_because: 'one replicate of each configuration and no intervals: nothing says how sure the means are',
    });
  });

  test('counts a missed constraint', () => {
    const records = [9.5, 10.5].flatMap((x) => [
      { id: 'edge', x, y: 1 },
      { id: 'safe', x: x / 2, y: 2 },
    ]);
    const analysis = analyzeTable(tableFromRecords(records, ['id']), {
      factors: ['id'],
      objectives: [{ response: 'y', direction: 'minimize' }],
      contexts: [],
      constraints: [{ response: 'x', relation: '<=', limit: 10 }],
    });
    const [edge] = read('pareto.csv', analysis);
    expect(edge?.p_on_front).toBeGreaterThan(0.3);
    expect(edge?.p_on_front).toBeLessThan(0.7);
  });
});

test('a table of trials has a front for each load, and the same one every time', () => {
  const ask = () =>
    analyzeTable(tableFromRecords(knownTable({ seed: 1, replicates: 3, noise: 0.05 }), KNOWN_FACTORS), {
      factors: KNOWN_FACTORS,
      objectives: [
        { response: 'latency_p99_ms', direction: 'minimize' },
        { response: 'energy_per_inference_j', direction: 'minimize' },
        { response: 'accuracy_top1', direction: 'maximize' },
      ],
      contexts: ['model'],
    });
  const fronts = read('fronts.csv', ask());
  expect(fronts.map(({ front }) => front)).toEqual(['all', 'model=small', 'model=large', 'load=light', 'load=high']);
  expect(read('pareto.csv', ask())).toEqual(read('pareto.csv', ask()));
  for (const { hypervolume: value, hypervolume_lo: lo, hypervolume_hi: hi } of fronts) {
    expect(lo).toBeLessThanOrEqual(value as number);
    expect(hi).toBeGreaterThanOrEqual(value as number);
  }
});

test('the variance of drawn means is that of the mean of as few as two replicates', () => {
  const values = [10, 12];
  const analysis = analyze(values.map((x) => ({ id: 'a', x, y: 1 })).concat({ id: 'b', x: 1, y: 1 }));
  const rng = createRng(3);
  const draws = Array.from({ length: 20_000 }, () => analysis.sampler.draw(rng).get('x')?.[0] as number);
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  expect(mean).toBeCloseTo(11, 1);
  // s^2 / n = 2 / 2
  expect(variance).toBeCloseTo(1, 1);
});

describe('windows beside replicates', () => {
  /** Variance of the drawn mean of x of two replicates, 10 and 10 + apart, whose windows give each a standard error of 1. */
  function drawnVariance(apart: number) {
    const halfWidth = 1.959963984540054;
    const records = [10, 10 + apart].map((x) => ({ id: 'a', x, x_lo: x - halfWidth, x_hi: x + halfWidth, y: 1 }));
    const rng = createRng(5);
    const { sampler } = analyze([...records, { id: 'b', x: 1, y: 1 }]);
    const draws = Array.from({ length: 20_000 }, () => sampler.draw(rng).get('x')?.[0] as number);
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    return draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  }

  test('replicates that agree by chance are as sure as their windows let them be: w^2 / n', () => {
    expect(drawnVariance(0.2)).toBeCloseTo(1 / 2, 1);
  });

  test('replicates that spread more are not moved as well, which would count the same twice: s^2 / n', () => {
    // s^2 = apart^2 / 2
    expect(Math.abs(drawnVariance(3) - 4.5 / 2)).toBeLessThan(0.15);
  });

  test('replicates that agree exactly hold a property that does not vary', () => {
    expect(drawnVariance(0)).toBe(0);
  });
});
