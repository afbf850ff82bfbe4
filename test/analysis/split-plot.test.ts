import { describe, expect, test } from 'vitest';
import type { CellValue, ResponseEffects } from '../../src/analysis/index.ts';
import { analyzeTable, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';
import { tCritical } from '../../src/student-t.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

function analyze(records: Records, factors: readonly string[], responses: readonly string[], contexts: string[] = []) {
  const objectives = responses.map((response) => ({ response, direction: 'minimize' as const }));
  return analyzeTable(tableFromRecords(records, factors), { factors, objectives, contexts, responses });
}

function outcomeOf(effects: readonly ResponseEffects[], response: string, context = 'all') {
  const found = effects.find((one) => one.response === response && one.context === context);
  if (found === undefined || 'reason' in found.outcome) throw new Error(`no outcome: ${JSON.stringify(found)}`);
  const { tests, errors, means, excluded } = found.outcome;
  const by = new Map(tests.map((one) => [one.term.name, one]));
  return { n: found.n, by, tests, errors, means, excluded };
}

// Yates (1935), "Complex experiments", Supplement to the Journal of the Royal Statistical Society 2: yields of oats, three varieties as whole plots in six blocks, four amounts of nitrogen in each.
const YIELDS = {
  Victory: ['111 130 157 174', '61 91 97 100', '68 64 112 86', '74 89 81 122', '62 90 100 116', '53 74 118 113'],
  GoldenRain: ['117 114 161 141', '70 108 126 149', '60 102 89 96', '64 103 132 133', '80 82 94 126', '89 82 86 104'],
  Marvellous: ['105 140 118 156', '96 124 121 144', '89 129 132 124', '70 89 104 117', '63 70 109 99', '97 99 119 121'],
};
const oats = Object.entries(YIELDS).flatMap(([variety, blocks]) =>
  blocks.flatMap((plots, block) =>
    plots.split(' ').map((y, at) => ({
      variety,
      nitrogen: `${at * 0.2}`,
      block: block + 1,
      launch: `${variety} ${block}`,
      y: Number(y),
      plot: (block * variety.length) % 7,
    })),
  ),
);

describe("the oats of Yates, as published and as R's aov() with Error(B/V) gives them", () => {
  const { effects } = analyze(oats, ['variety', 'nitrogen'], ['y']);
  const { by, errors, means } = outcomeOf(effects, 'y');

  test('each term against the error of its stratum', () => {
    expect(errors).toEqual([
      { stratum: 'between launches', sumSq: expect.closeTo(6013.306, 3), df: 10 },
      { stratum: 'within launches', sumSq: expect.closeTo(7968.75, 3), df: 45 },
    ]);
    const rows = [...by].map(([name, { sumSq, term, f, p }]) => [name, term.df, sumSq, f, p] as const);
    expect(rows).toEqual([
      ['block', 5, expect.closeTo(15875.278, 3), expect.closeTo(5.28, 2), expect.closeTo(0.0124, 4)],
      ['variety', 2, expect.closeTo(1786.361, 3), expect.closeTo(1.485, 3), expect.closeTo(0.272, 3)],
      ['nitrogen', 3, expect.closeTo(20020.5, 3), expect.closeTo(37.686, 3), expect.closeTo(2.46e-12, 14)],
      ['variety:nitrogen', 6, expect.closeTo(321.75, 3), expect.closeTo(0.303, 3), expect.closeTo(0.932, 3)],
    ]);
  });

  test('permutation within strata agrees with the F tests of normal errors', () => {
    expect(by.get('variety')?.permutation?.p).toBeCloseTo(0.272, 1);
    expect(by.get('nitrogen')?.permutation?.p).toBe(0.001);
    expect(by.get('variety:nitrogen')?.permutation?.p).toBeCloseTo(0.932, 1);
  });

  // Published standard errors of differences: 7.08 between varieties, 4.44 between amounts, 7.68 between amounts of one variety, 9.72 between varieties at one amount (with 30.2 degrees of
  // freedom). That of a level's effect is that of a difference, divided by sqrt(2) and multiplied by sqrt((L - 1) / L).
  test.each([
    ['variety', undefined, 7.08, 10, 3],
    ['nitrogen', undefined, 4.44, 45, 4],
    ['nitrogen', 'variety', 7.68, 45, 4],
    ['variety', 'nitrogen', 9.72, 30.23, 3],
  ])('the intervals of the effects of %s at %s', (factor, given, ofDifference, df, levels) => {
    const found = means.find((one) => one.factor === factor && one.given?.factor === given);
    const halfWidth = ((found?.effect.hi as number) - (found?.effect.lo as number)) / 2;
    const standardError = ofDifference * Math.sqrt((levels - 1) / levels / 2);
    expect(halfWidth / (tCritical(0.95, df) * standardError)).toBeCloseTo(1, 2);
  });

  test('without launches every plot is taken as independent, as before', () => {
    const plain = analyze(
      oats.map(({ launch: _, ...row }) => row),
      ['variety', 'nitrogen'],
      ['y'],
    );
    const { errors: one, by: terms } = outcomeOf(plain.effects, 'y');
    expect(one).toEqual([{ stratum: 'trials', sumSq: expect.closeTo(6013.306 + 7968.75, 2), df: 55 }]);
    expect(terms.get('variety')?.f).toBeCloseTo(1786.361 / 2 / (13982.056 / 55), 4);
    const columns = RESULT_TABLES['effects.csv']?.(plain).columns ?? [];
    const [row] = [...(RESULT_TABLES['effects.csv']?.(plain).rows ?? [])];
    expect(row?.[columns.indexOf('stratum')]).toBeUndefined();
  });

  test('of plots that are missing, most is left as it was', () => {
    const some = oats.filter((_, at) => at % 13 !== 5);
    const { by: terms, errors: left } = outcomeOf(analyze(some, ['variety', 'nitrogen'], ['y']).effects, 'y');
    expect(left.map(({ df }) => df)).toEqual([10, 45 - (oats.length - some.length)]);
    expect(terms.get('variety')?.f).toBeGreaterThan(0.5);
    expect(terms.get('variety')?.f).toBeLessThan(4);
    expect(terms.get('nitrogen')?.f).toBeGreaterThan(20);
  });
});

test('what a launch has once is counted once, wherever it is counted', () => {
  const analysis = analyze(oats, ['variety', 'nitrogen'], ['y', 'plot'], ['variety', 'nitrogen']);
  const { n, errors, by } = outcomeOf(analysis.effects, 'plot');
  expect(n).toBe(18);
  expect([...by.keys()]).toEqual(['block', 'variety']);
  expect(errors[0]?.df).toBe(10);
  expect(analysis.effects.filter(({ response }) => response === 'plot').map(({ context }) => context)).toEqual([
    'all',
    'variety=Victory',
    'variety=GoldenRain',
    'variety=Marvellous',
  ]);
});

describe('a table of trials without a column of launches', () => {
  const rng = createRng(3);
  const trials = [1, 2, 3].flatMap((block) =>
    ['a', 'b', 'c'].flatMap((model) => {
      const launch = rng.normal();
      return ['low', 'high'].map((load, at) => ({
        ...{ trial_id: `${block}${model}${load}`, block, model, load },
        latency_mean_ms: 10 + at + launch + 0.1 * rng.normal(),
        capacity_rps: 100 + launch,
      }));
    }),
  );

  test('shares launches among the loads of a block', () => {
    const { effects } = analyze(trials, ['model', 'load'], ['latency_mean_ms', 'capacity_rps']);
    const latency = outcomeOf(effects, 'latency_mean_ms');
    expect(latency.errors.map(({ stratum, df }) => [stratum, df])).toEqual([
      ['between launches', 4],
      ['within launches', 6],
    ]);
    expect(outcomeOf(effects, 'capacity_rps').n).toBe(9);
  });

  test('takes a server with another capacity for one started again', () => {
    const again = trials.map((row) => (row.trial_id === '2bhigh' ? { ...row, capacity_rps: 99 } : row));
    const { effects } = analyze(again, ['model', 'load'], ['capacity_rps']);
    expect(outcomeOf(effects, 'capacity_rps').n).toBe(10);
  });

  test('says where replicates are missing to tell how launches differ', () => {
    const analysis = analyze(
      trials.filter(({ block }) => block === 1),
      ['model', 'load'],
      ['latency_mean_ms'],
    );
    const { by, errors } = outcomeOf(analysis.effects, 'latency_mean_ms');
    expect(errors.map(({ df }) => df)).toEqual([0, 2]);
    expect(by.get('model')?.p).toBeNaN();
    expect(by.get('load')?.p).toBeGreaterThan(0);
    const { columns, rows } = RESULT_TABLES['effects.csv']?.(analysis) ?? { columns: [], rows: [] };
    const row = [...rows].find((cells) => cells[columns.indexOf('term')] === 'model');
    expect(row?.[columns.indexOf('p')]).toBeUndefined();
    expect(row?.[columns.indexOf('empty_because')]).toBe(
      'nothing tells how launches of one configuration differ: add replicates',
    );
  });
});
