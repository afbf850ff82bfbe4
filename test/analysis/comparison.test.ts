import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CellValue, type ComparedResponse, compareRuns, tableFromRecords } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

const NONE: ReadonlyMap<string, string> = new Map();

function compare(
  base: Records,
  next: Records,
  {
    margin = { kind: 'amount', value: 1.2 },
    isPaired = false,
    response = 'y',
  }: {
    margin?: ComparedResponse['margin'];
    isPaired?: boolean;
    response?: string;
  } = {},
) {
  return compareRuns({
    base: { table: tableFromRecords(base, ['id']), levels: NONE },
    next: { table: tableFromRecords(next, ['id']), levels: NONE },
    factors: ['id'],
    responses: [{ response, direction: 'minimize', margin }],
    isPaired,
    confidence: 0.95,
  });
}

const X = [10.1, 10.4, 9.9, 10.2];
const Y = [11.0, 11.4, 10.9, 11.1];
const rows = (values: readonly number[], id = 'a') => values.map((y, at) => ({ id, y, block: at + 1 }));

describe('one configuration', () => {
  test("agrees with Welch's t and two one-sided tests", () => {
    const [change] = compare(rows(X), rows(Y)).overall;
    // scipy 1.17.1: stats.ttest_ind(y, x, equal_var=False); statsmodels 0.15.0: ttost_ind(y, x, -1.2, 1.2, usevar='unequal')
    expect(change?.p).toBeCloseTo(0.0007288444354337243, 10);
    expect([change?.lo, change?.hi]).toEqual([
      expect.closeTo(0.5828411429586458, 8),
      expect.closeTo(1.3171588570413564, 8),
    ]);
    expect(change?.equivalenceP).toBeCloseTo(0.07334874358033273, 8);
    // Cohen's d of the pooled standard deviation, times 1 - 3 / (4 df - 1).
    expect(change?.effectSize).toBeCloseTo(4.478342947514806 * (1 - 3 / (4 * 5.991780821917808 - 1)), 8);
    expect(change?.method).toBe("Welch's t over replicates");
  });

  test('of one run is paired by block', () => {
    const [change] = compare(rows(X), rows(Y), { isPaired: true }).overall;
    // scipy 1.17.1: stats.ttest_rel(y, x)
    expect(change?.p).toBeCloseTo(6.167175462875819e-5, 10);
    expect([change?.lo, change?.hi]).toEqual([
      expect.closeTo(0.8581306884481466, 8),
      expect.closeTo(1.0418693115518538, 8),
    ]);
  });

  test.each([
    [[10, 10.1, 9.9, 10], [12, 12.1, 11.9, 12], 'regression'],
    [[12, 12.1, 11.9, 12], [10, 10.1, 9.9, 10], 'improvement'],
    [[10, 10.1, 9.9, 10], [10.3, 10.4, 10.2, 10.3], 'equivalent'],
    [[10, 10.1, 9.9, 10], [10.1, 10, 10.05, 9.95], 'equivalent'],
    [[10, 14, 7, 10], [12, 9, 15, 10], 'unclear'],
    [[10, 10.4, 9.6, 10], [11, 11.4, 10.6, 11], 'small'],
    [[5, 5, 5], [5, 5, 5], 'equivalent'],
    [[5, 5, 5], [7, 7, 7], 'regression'],
  ] as const)('from %j to %j is %s', (x, y, verdict) => {
    expect(compare(rows(x), rows(y)).overall[0]?.verdict).toBe(verdict);
  });

  test('with one replicate each follows the intervals of the windows, and without them nothing is clear', () => {
    const side = (y: number) => [{ id: 'a', y, y_lo: y - 0.1, y_hi: y + 0.1 }];
    const [change] = compare(side(10), side(12)).overall;
    expect(change).toMatchObject({ verdict: 'regression', method: 'intervals of the windows' });
    // Two normal errors of 0.1 / 1.96 each.
    expect((change?.hi as number) - (change?.change as number)).toBeCloseTo(0.1 * Math.SQRT2, 6);
    const [bare] = compare([{ id: 'a', y: 10 }], [{ id: 'a', y: 20 }]).overall;
    expect(bare).toMatchObject({ verdict: 'unclear', method: 'one replicate: nothing tells the noise' });
  });
});

test('many configurations show a small change that none shows alone', () => {
  const rng = createRng(4);
  const run = (factor: number) =>
    Array.from({ length: 30 }, (_, id) => id).flatMap((id) =>
      [1, 2, 3].map(() => ({ id: `c${id}`, latency_ms: (id + 1) * factor * Math.exp(0.05 * rng.normal()) })),
    );
  const { overall, byConfiguration, matched } = compare(run(1), run(1.08), {
    margin: { kind: 'share', value: 0.05 },
    response: 'latency_ms',
  });
  expect(matched).toBe(30);
  expect(overall[0]).toMatchObject({ verdict: 'regression', unit: 'share' });
  expect(overall[0]?.change).toBeCloseTo(0.08, 1);
  expect(byConfiguration.filter(({ verdict }) => verdict === 'regression')).toEqual([]);
});

test('what only one side has is named', () => {
  const comparison = compare([...rows(X), ...rows(X, 'old')], [...rows(Y), ...rows(Y, 'new')]);
  expect(comparison).toMatchObject({ matched: 1, onlyBase: [['old']], onlyNext: [['new']] });
});

test('where nothing changed, a run is called a regression in at most about 5 of 100, and the interval covers no change in about 95', () => {
  const rng = createRng(11);
  let alarms = 0;
  let covered = 0;
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const side = () =>
      ['a', 'b', 'c'].flatMap((id) => [1, 2, 3].map(() => ({ id, latency_ms: 10 * Math.exp(0.1 * rng.normal()) })));
    const { overall, byConfiguration } = compare(side(), side(), {
      margin: { kind: 'share', value: 0.001 },
      response: 'latency_ms',
    });
    if (overall[0]?.verdict === 'regression' || byConfiguration.some(({ verdict }) => verdict === 'regression'))
      alarms++;
    if ((overall[0]?.lo as number) <= 0 && (overall[0]?.hi as number) >= 0) covered++;
  }
  expect(alarms / runs).toBeLessThan(0.08);
  expect(covered / runs).toBeGreaterThan(0.92);
  expect(covered / runs).toBeLessThan(0.99);
});

test('exchanging the sides turns the change around, and permuting rows changes nothing', () => {
  const values = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(values, values, (x, y) => {
      const [there] = compare(rows(x), rows(y)).overall;
      const [back] = compare(rows(y), rows(x)).overall;
      const [permuted] = compare(rows(x.toReversed()), rows(y)).overall;
      expect(back?.change).toBeCloseTo(-(there?.change as number), 9);
      expect(back?.p).toBeCloseTo(there?.p as number, 9);
      expect(permuted?.p).toBeCloseTo(there?.p as number, 9);
    }),
    { numRuns: 50 },
  );
});

describe('loads that share launches', () => {
  const LAUNCHES = [0.3, -0.2, 0.1, 0.4, -0.6, 0];
  const side = (shift: number, launches: readonly number[], loads = ['low', 'high']) =>
    launches.flatMap((own, at) =>
      loads.map((load, index) => ({
        ...{ id: 'a', load, launch: `${shift} ${at}` },
        y: 10 * (index + 1) + shift + own + 0.01 * ((7 * at + 3 * index) % 5),
        once: 5 + shift + own,
      })),
    );
  const compareLoads = (base: Records, next: Records, response: string) =>
    compareRuns({
      base: { table: tableFromRecords(base, ['id', 'load']), levels: NONE },
      next: { table: tableFromRecords(next, ['id', 'load']), levels: NONE },
      factors: ['id', 'load'],
      responses: [{ response, direction: 'minimize', margin: { kind: 'amount', value: 0.1 } }],
      isPaired: false,
      confidence: 0.95,
    }).overall[0];
  const [base, next] = [side(0, LAUNCHES.slice(0, 3)), side(0.5, LAUNCHES.slice(3))];

  test('are compared by the means of launches', () => {
    const means = (records: Records) =>
      ['0', '1', '2'].map((at) => {
        const own = records.filter(({ launch }) => String(launch).endsWith(` ${at}`));
        return { id: 'a', y: own.reduce((sum, { y }) => sum + Number(y), 0) / own.length };
      });
    const expected = compare(means(base), means(next)).overall[0];
    const found = compareLoads(base, next, 'y');
    expect([found?.lo, found?.hi]).toEqual([
      expect.closeTo(expected?.lo ?? 0, 9),
      expect.closeTo(expected?.hi ?? 0, 9),
    ]);
    expect(found).toMatchObject({ configurations: 2, method: "Welch's t over launches" });
  });

  test('count what a launch has once, once', () => {
    const once = (records: Records) =>
      records.filter(({ load }) => load === 'low').map(({ once: y }) => ({ id: 'a', y }));
    const expected = compare(once(base), once(next)).overall[0];
    for (const incomplete of [base, base.slice(1)]) {
      expect(compareLoads(incomplete, next, 'once')).toMatchObject({ p: expect.closeTo(expected?.p ?? 0, 9) });
    }
  });

  test('of which a launch lacks one, are no surer than one load by itself', () => {
    const whole = compareLoads(base, next, 'y');
    const found = compareLoads(base.slice(1), next, 'y');
    expect((found?.hi ?? 0) - (found?.lo ?? 0)).toBeGreaterThan((whole?.hi ?? 0) - (whole?.lo ?? 0));
  });
});
