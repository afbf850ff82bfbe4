import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adjustHolm } from '../../src/analysis/adjust-p.ts';
import { noncentralFCdf } from '../../src/analysis/distributions.ts';
import { partialEtaSquared } from '../../src/analysis/effect-size.ts';
import type { CellValue, ResponseEffects } from '../../src/analysis/index.ts';
import { analyzeTable, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { shareExchanges } from '../../src/analysis/permutation.ts';
import { ANOVA } from './nist-anova.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

function effectsOn(records: Records, factors: readonly string[], response = 'y', contexts: readonly string[] = []) {
  const { effects } = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response, direction: 'minimize' }],
    contexts,
    responses: [response],
  });
  return effects;
}

/** The tests of the first response by name of the term. */
function tested([effects]: readonly ResponseEffects[]) {
  if (effects === undefined || 'reason' in effects.outcome) throw new Error(`no outcome: ${JSON.stringify(effects)}`);
  const { outcome } = effects;
  const [error] = outcome.errors;
  return {
    ...outcome,
    residualSumSq: error?.sumSq as number,
    residualDf: error?.df,
    by: new Map(outcome.tests.map((one) => [one.term.name, one])),
  };
}

describe('against certified values', () => {
  test.each(ANOVA)('NIST $name', ({ treatments, betweenSumSq, withinSumSq, f, digits }) => {
    const records = treatments.flatMap((values, treatment) => values.map((y) => ({ treatment: `t${treatment}`, y })));
    const { by, residualSumSq } = tested(effectsOn(records, ['treatment']));
    const agreeing = (value: number, certified: number) => -Math.log10(Math.abs(value - certified) / certified);
    expect(agreeing(by.get('treatment')?.sumSq as number, betweenSumSq)).toBeGreaterThan(digits);
    expect(agreeing(residualSumSq, withinSumSq)).toBeGreaterThan(digits);
    expect(agreeing(by.get('treatment')?.f as number, f)).toBeGreaterThan(digits);
  });
});

describe('against a textbook', () => {
  // Montgomery (2019), Design and Analysis of Experiments, 10th ed., example 5.1, battery life by material and temperature; table 5.5.
  const LIVES = {
    'm1 15': [130, 155, 74, 180],
    'm1 70': [34, 40, 80, 75],
    'm1 125': [20, 70, 82, 58],
    'm2 15': [150, 188, 159, 126],
    'm2 70': [136, 122, 106, 115],
    'm2 125': [25, 70, 58, 45],
    'm3 15': [138, 110, 168, 160],
    'm3 70': [174, 120, 150, 139],
    'm3 125': [96, 104, 82, 60],
  };
  const battery = Object.entries(LIVES).flatMap(([cell, lives]) => {
    const [material, temperature] = cell.split(' ');
    return lives.map((y) => ({ material, temperature, y }));
  });

  test('a replicated factorial', () => {
    const { by, residualSumSq, residualDf } = tested(effectsOn(battery, ['material', 'temperature']));
    expect(by.get('material')?.sumSq).toBeCloseTo(10683.7222222222, 8);
    expect(by.get('temperature')?.sumSq).toBeCloseTo(39118.7222222222, 8);
    expect(by.get('material:temperature')?.sumSq).toBeCloseTo(9613.7777777778, 8);
    expect([residualSumSq, residualDf]).toEqual([expect.closeTo(18230.75, 8), 27]);
    // statsmodels 0.15.0, anova_lm(typ=3)
    expect(by.get('material:temperature')?.p).toBeCloseTo(0.01861116818894, 12);
    expect(by.get('temperature')?.rank).toBe(1);
  });

  test('exchanges of residuals give the p-values of the F test where errors are normal', () => {
    const { by } = tested(effectsOn(battery, ['material', 'temperature']));
    expect(by.get('material:temperature')?.permutation?.p).toBeGreaterThan(0.005);
    expect(by.get('material:temperature')?.permutation?.p).toBeLessThan(0.04);
    expect(by.get('temperature')?.permutation?.p).toBe(0.001);
  });

  // Montgomery (2019), example 6.2, filtration rate, a single replicate of a 2^4.
  const RATES = [45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96];
  const filtration = RATES.map((y, run) => ({
    A: run & 1,
    B: (run >> 1) & 1,
    C: (run >> 2) & 1,
    D: (run >> 3) & 1,
    y,
  }));

  test('a single replicate of a two-level factorial, its higher interactions left for error', () => {
    const { by, residualSumSq, residualDf, means } = tested(effectsOn(filtration, ['A', 'B', 'C', 'D']));
    const sums = Object.fromEntries([...by].map(([name, { sumSq }]) => [name, Number(sumSq.toFixed(6))]));
    expect(sums).toEqual({
      A: 1870.5625,
      B: 39.0625,
      C: 390.0625,
      D: 855.5625,
      'A:B': 0.0625,
      'A:C': 1314.0625,
      'A:D': 1105.5625,
      'B:C': 22.5625,
      'B:D': 0.5625,
      'C:D': 5.0625,
    });
    expect([residualSumSq, residualDf]).toEqual([expect.closeTo(127.8125, 8), 5]);
    // The effect of A, 21.625, is the difference between its levels.
    const [low, high] = means.filter(({ factor, given }) => factor === 'A' && given === undefined);
    expect((high?.mean.value as number) - (low?.mean.value as number)).toBeCloseTo(21.625, 10);
  });

  test('half of it (I = ABCD) names the interactions that cannot be told apart', () => {
    const half = filtration.filter(({ A, B, C, D }) => (A + B + C + D) % 2 === 0);
    const doubled = [...half, ...half.map((row) => ({ ...row, y: row.y + 1 }))];
    const { by, excluded } = tested(effectsOn(doubled, ['A', 'B', 'C', 'D']));
    expect([...by.keys()]).toEqual(['A', 'B', 'C', 'D', 'A:B', 'A:C', 'A:D']);
    expect(by.get('A:B')?.term.aliasedWith).toEqual(['C:D']);
    expect(excluded.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'B:C cannot be told apart from A:D: their levels change together',
      'B:D cannot be told apart from A:C: their levels change together',
      'C:D cannot be told apart from A:B: their levels change together',
    ]);
  });
});

describe('an incomplete design with blocks', () => {
  const CELLS = `1 x 1 p 12.4;1 x 1 q 12.8;1 x 2 q 14.0;1 y 1 p 14.9;1 y 1 q 14.2;1 y 2 p 16.8;1 y 2 q 17.2;1 z 1 p 11.3;1 z 2 p 12.5;1 z 2 q 12.9;2 x 1 p 13.3;2 x 1 q 12.6;2 x 2 p 14.5;2 x 2 q 14.9;2 y 1 q 15.1;2 y 2 p 17.7;2 y 2 q 17.0;2 z 1 p 12.2;2 z 1 q 11.5;2 z 2 p 13.4;3 x 1 p 13.1;3 x 1 q 13.5;3 x 2 p 15.4;3 x 2 q 14.7;3 y 1 p 15.6;3 y 1 q 16.0;3 y 2 q 17.9;3 z 1 p 12.0;3 z 1 q 12.4;3 z 2 p 14.3;3 z 2 q 13.6`;
  const records = CELLS.split(';').map((cell) => {
    const [block, a, b, c, y] = cell.split(' ');
    return { block, a, b, c, y };
  });

  test('gives the type III sums of squares of statsmodels', () => {
    const { by, residualSumSq, residualDf } = tested(effectsOn(records, ['a', 'b', 'c']));
    // statsmodels 0.15.0, anova_lm(typ=3) with sum-to-zero contrasts
    const expected = {
      block: [5.13409210847357, 1.13135719046289e-5],
      a: [69.4813940879879, 4.53190329653383e-15],
      b: [25.5512361239176, 6.9679779522062e-12],
      c: [0.0971586880512644, 0.372869645774847],
      'a:b': [0.699628099613968, 0.0738105440988931],
      'a:c': [0.0131564889825341, 0.945325438794971],
      'b:c': [0.00666806175666105, 0.813597945674289],
    };
    for (const [term, [sumSq, p]] of Object.entries(expected)) {
      expect(by.get(term)?.sumSq).toBeCloseTo(sumSq as number, 9);
      expect((by.get(term)?.p as number) / (p as number)).toBeCloseTo(1, 6);
    }
    expect([residualSumSq, residualDf]).toEqual([expect.closeTo(2.21636027247904, 10), 19]);
  });

  test('gives means averaged evenly over the other factors, with their intervals', () => {
    const { means } = tested(effectsOn(records, ['a', 'b', 'c']));
    const find = (given?: string) =>
      means.find(({ factor, level, given: other }) => factor === 'a' && level === 'y' && other?.level === given)?.mean;
    // statsmodels 0.15.0: t_test of the averaged rows of the model matrix
    const close = ([value, lo, hi]: readonly number[]) => ({
      value: expect.closeTo(value as number, 9),
      lo: expect.closeTo(lo as number, 7),
      hi: expect.closeTo(hi as number, 7),
    });
    expect(find()).toEqual(close([16.306166840343124, 16.074216694129554, 16.538116986556695]));
    expect(find('2')).toEqual(close([17.437760876487122, 17.11121351793106, 17.764308235043185]));
  });

  test('says which combinations were never measured instead of an interaction', () => {
    const gaps = records.filter(({ a, b }) => !(a === 'z' && b === '2'));
    const { excluded, by } = tested(effectsOn(gaps, ['a', 'b', 'c']));
    expect(excluded.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      'a:b: 1 of 6 combinations of a and b have no value',
    ]);
    expect(by.has('a:c')).toBe(true);
  });
});

test('the non-central F distribution and the interval of partial eta squared agree with scipy', () => {
  // scipy 1.17.1: stats.ncf.cdf, and its roots by brentq
  expect(noncentralFCdf(3.5, 2, 20, 4.2)).toBeCloseTo(0.6212220039856476, 12);
  expect(noncentralFCdf(10, 5, 40, 60)).toBeCloseTo(0.2191802684727419, 12);
  expect(noncentralFCdf(1.1, 3, 9, 0.3)).toBeCloseTo(0.5630315912630937, 12);
  // scipy 1.17.1: stats.ncf.cdf(5.1e4, 2, 300, 1e5)
  expect(noncentralFCdf(5.1e4, 2, 300, 1e5)).toBeCloseTo(0.5846311192547253, 8);
  const ends = ([f, df1, df2]: readonly [number, number, number]) => {
    const { lo, hi } = partialEtaSquared(f, df1, df2, 0.95);
    return [lo, hi];
  };
  expect(ends([3.5, 2, 20])).toEqual([0, expect.closeTo(0.479463529186554, 7)]);
  expect(ends([16, 1, 46])).toEqual([expect.closeTo(0.06714134107348434, 7), expect.closeTo(0.43701561563439184, 7)]);
  expect(ends([0.5, 3, 12])).toEqual([0, expect.closeTo(0.3065852034746066, 7)]);
  expect(ends([250, 4, 30])).toEqual([expect.closeTo(0.9396335420458208, 7), expect.closeTo(0.9783384266288451, 7)]);
});

test("Holm's adjustment agrees with statsmodels", () => {
  // statsmodels 0.15.0: multipletests(method='holm')
  expect(adjustHolm([0.01, 0.04, 0.03, 0.005, 0.5])).toEqual(
    [0.04, 0.09, 0.09, 0.025, 0.5].map((value) => expect.closeTo(value, 12)),
  );
});

test('latency is analysed on a log scale: what doubles it everywhere is a ratio of 2 and no interaction', () => {
  const noise = [1.01, 0.99, 1, 1.005, 0.995, 1.002];
  const records = [1, 2].flatMap((batch) =>
    [1, 3].flatMap((threads) =>
      noise.map((factor, index) => ({
        batch,
        threads,
        latency_ms: batch * threads * factor * (1 + ((index * batch * threads) % 5) / 1000),
      })),
    ),
  );
  const effects = effectsOn(records, ['batch', 'threads'], 'latency_ms');
  expect(effects[0]?.scale).toBe('log');
  const { by, means } = tested(effects);
  expect(by.get('batch:threads')?.p).toBeGreaterThan(0.05);
  const [one, two] = means.filter(({ factor, given }) => factor === 'batch' && given === undefined);
  expect(Math.exp((two?.mean.value as number) - (one?.mean.value as number))).toBeCloseTo(2, 1);
});

test('effects within each value of a context leave the context out', () => {
  const records = ['a', 'b'].flatMap((model) =>
    [1, 2, 4].flatMap((threads) =>
      [0, 1, 2].map((at) => ({ model, threads, y: threads * (model === 'a' ? 1 : 2) + at })),
    ),
  );
  const effects = effectsOn(records, ['model', 'threads'], 'y', ['model']);
  expect(
    effects.map(({ context, outcome }) => [context, 'tests' in outcome && outcome.tests.map(({ term }) => term.name)]),
  ).toEqual([
    ['all', ['model', 'threads', 'model:threads']],
    ['model=a', ['threads']],
    ['model=b', ['threads']],
  ]);
});

test.each([
  [[1, 1, 1, 1], 'all values are equal'],
  [[1, 2, '', ''], 'no degrees of freedom are left for error; add replicates'],
  [[1, '', '', ''], '1 rows have a value; effects need two'],
  [[3, 5, 3, 5], 'the response follows from the factors without error'],
])('values %j have no effects, with the reason', (values, reason) => {
  const records = values.map((y, index) => ({ a: index % 2, y }));
  expect(effectsOn(records, ['a'])[0]?.outcome).toEqual({ reason });
});

test('permuting rows changes no sum of squares', () => {
  const rows = fc.array(fc.record({ a: fc.nat(2), b: fc.nat(1), y: fc.nat(20) }), { minLength: 12, maxLength: 30 });
  fc.assert(
    fc.property(
      rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const [before] = effectsOn(all, ['a', 'b']);
        const [after] = effectsOn(shuffled, ['a', 'b']);
        if (before === undefined || after === undefined) throw new Error('no response');
        if ('reason' in before.outcome || 'reason' in after.outcome) {
          expect(after.outcome).toEqual(before.outcome);
          return;
        }
        const sums = ({ tests }: typeof before.outcome & { tests: unknown }) =>
          tests.map(({ term, sumSq }) => [term.name.split(':').sort().join(':'), sumSq] as const).sort();
        for (const [index, [name, sumSq]] of sums(after.outcome).entries()) {
          expect(sums(before.outcome)[index]?.[0]).toBe(name);
          expect(sums(before.outcome)[index]?.[1]).toBeCloseTo(sumSq, 6);
        }
      },
    ),
    { numRuns: 20 },
  );
});

test('every row of the tables has a cell for every column', () => {
  const records = [0, 1, 2, 3, 4, 5, 6, 7].map((run) => ({ a: run & 1, b: (run >> 1) & 1, y: run ** 2, constant: 1 }));
  const analysis = analyzeTable(tableFromRecords(records, ['a', 'b']), {
    factors: ['a', 'b'],
    objectives: [{ response: 'y', direction: 'minimize' }],
    contexts: ['a'],
  });
  for (const [name, tabulate] of Object.entries(RESULT_TABLES)) {
    const { columns, rows } = tabulate(analysis);
    for (const row of rows) expect(row, name).toHaveLength(columns.length);
  }
});

describe('exchanges', () => {
  test('are shared among all tests of a table, and given up where too few would be left', () => {
    expect(shareExchanges([5000])).toBe(999);
    const fits = (count: number) => new Array<number>(count).fill(100_000);
    expect(shareExchanges(fits(30))).toBe(133);
    expect(shareExchanges(fits(40))).toBe(100);
    expect(shareExchanges(fits(41))).toBe(0);
    expect(shareExchanges([])).toBe(999);
  });

  /** Cells of effects.csv that tell of exchanges, by term. */
  function exchangesTold(rowCount: number) {
    const records = Array.from({ length: rowCount }, (_, row) => ({
      a: row & 1,
      b: (row >> 1) & 1,
      y: (row * 7) % 11,
    }));
    const analysis = analyzeTable(tableFromRecords(records, ['a', 'b']), {
      factors: ['a', 'b'],
      objectives: [{ response: 'y', direction: 'minimize' }],
      contexts: [],
    });
    const { columns, rows } = (RESULT_TABLES['effects.csv'] as (typeof RESULT_TABLES)[string])(analysis);
    const cell = (row: readonly unknown[], column: string) => row[columns.indexOf(column)];
    return [...rows].map((row) => [cell(row, 'term'), cell(row, 'permutations'), cell(row, 'empty_because')]);
  }

  test('are told in the table, and so is why there are none', () => {
    expect(exchangesTold(44)).toEqual([
      ['a', 999, undefined],
      ['b', 999, undefined],
      ['a:b', 999, undefined],
      ['residual', undefined, undefined],
    ]);
    const why = 'p_permutation: more than 2000 rows, with which the F test needs none';
    expect(exchangesTold(2001)).toEqual([
      ['a', undefined, why],
      ['b', undefined, why],
      ['a:b', undefined, why],
      ['residual', undefined, undefined],
    ]);
  });
});
