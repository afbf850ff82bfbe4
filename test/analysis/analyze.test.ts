import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnalysisOptions, CellValue } from '../../src/analysis/index.ts';
import {
  analyzeTable,
  createTableBuilder,
  tableFromRecords,
  tabulateCorrelations,
  tabulateFronts,
  tabulateSummaries,
} from '../../src/analysis/index.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

const TWO_OBJECTIVES: AnalysisOptions = {
  factors: ['model', 'threads'],
  objectives: [
    { response: 'latency_ms', direction: 'minimize' },
    { response: 'energy_j', direction: 'minimize' },
  ],
  contexts: ['model'],
};

/** Two models at three thread counts; in both, more threads buy latency with energy, and 4 threads of `b` are worse than 2. */
const TRIALS: Records = [
  { model: 'a', threads: 1, latency_ms: 10, energy_j: 1 },
  { model: 'a', threads: 2, latency_ms: 6, energy_j: 2 },
  { model: 'a', threads: 4, latency_ms: 4, energy_j: 3 },
  { model: 'b', threads: 1, latency_ms: 20, energy_j: 2 },
  { model: 'b', threads: 2, latency_ms: 12, energy_j: 4 },
  { model: 'b', threads: 4, latency_ms: 13, energy_j: 6 },
];

function analyze(records: Records, changes: Partial<AnalysisOptions> = {}) {
  return analyzeTable(tableFromRecords(records, ['model', 'threads']), { ...TWO_OBJECTIVES, ...changes });
}

/** Rows as objects, for reading in assertions. */
function read({ columns, rows }: ReturnType<typeof tabulateFronts>) {
  return [...rows].map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

test('every configuration stands once in the front of all and once in that of its context', () => {
  const rows = read(tabulateFronts(analyze(TRIALS)));
  expect(rows.map(({ front, on_front, model, threads }) => `${front} ${model}${threads} ${on_front}`)).toEqual([
    'all a1 true',
    'all a2 true',
    'all a4 true',
    'all b1 false',
    'all b2 false',
    'all b4 false',
    'model=a a1 true',
    'model=a a2 true',
    'model=a a4 true',
    'model=b b1 true',
    'model=b b2 true',
    'model=b b4 false',
  ]);
  expect(rows[0]).toEqual({
    front: 'all',
    on_front: true,
    model: 'a',
    threads: '1',
    latency_ms: 10,
    energy_j: 1,
    replicates: 1,
    left_out_because: undefined,
    p_on_front: undefined,
    p_source: undefined,
    on_robust_front: undefined,
    is_knee: false,
    distance_to_front: 0,
    ties: 0,
  });
});

test('rows of the same factors are replicates and their means are compared', () => {
  const rows = read(
    tabulateFronts(analyze([...TRIALS, { model: 'b', threads: 4, latency_ms: 9, energy_j: 6 }], { contexts: [] })),
  );
  expect(rows.at(-1)).toMatchObject({ threads: '4', latency_ms: 11, energy_j: 6, replicates: 2 });
});

test('a configuration without a value of an objective stays out of the front, with the reason', () => {
  const rows = read(tabulateFronts(analyze([...TRIALS, { model: 'a', threads: 8, latency_ms: 1 }])));
  expect(rows.find(({ threads }) => threads === '8')).toMatchObject({
    on_front: false,
    energy_j: undefined,
    left_out_because: 'energy_j was not measured',
  });
});

test('a missed constraint keeps a configuration out of the front, and lets in what it dominated', () => {
  const rows = read(
    tabulateFronts(analyze(TRIALS, { constraints: [{ response: 'latency_ms', relation: '>=', limit: 12 }] })),
  );
  expect(rows.slice(0, 6).map(({ on_front }) => on_front)).toEqual([false, false, false, true, true, false]);
  expect(rows[0]?.left_out_because).toBe('misses latency_ms >= 12 (is 10)');
});

test('failed and invalid trials are counted and take no part; overloaded ones do', () => {
  const verdicts = [
    ['done', 'valid'],
    ['done', 'overloaded'],
    ['done', 'invalid'],
    ['failed', ''],
  ];
  const records = verdicts.map(([state, verdict], index) => ({
    model: 'a',
    threads: index,
    latency_ms: 10 - index,
    energy_j: index,
    state,
    verdict,
  }));
  const analysis = analyze(records, { contexts: [] });
  expect(analysis.counts).toEqual({ rows: 4, used: 2, failed: 1, invalid: 1 });
  expect(read(tabulateFronts(analysis)).map(({ on_front, left_out_because }) => [on_front, left_out_because])).toEqual([
    [true, undefined],
    [true, undefined],
    [false, 'every trial failed or is invalid'],
    [false, 'every trial failed or is invalid'],
  ]);
});

test('responses are correlated across the values of a context over matched configurations', () => {
  const rows = read(
    tabulateCorrelations(analyze([...TRIALS, { model: 'a', threads: 16, latency_ms: 3, energy_j: 9 }])),
  );
  expect(rows.map(({ response, a, b, n }) => ({ response, a, b, n }))).toEqual([
    { response: 'latency_ms', a: 'a', b: 'b', n: 3 },
    { response: 'energy_j', a: 'a', b: 'b', n: 3 },
  ]);
  expect(rows[0]?.spearman).toBeCloseTo(0.5, 12);
  expect(rows[1]?.pearson).toBeCloseTo(1, 12);
  expect(rows[1]).toMatchObject({ kendall: 1, spearman_p_method: 'exact', empty_because: undefined });
});

test('too few matched configurations leave the coefficients empty, with the reason', () => {
  const [row] = read(tabulateCorrelations(analyze(TRIALS.slice(0, 5))));
  expect(row).toMatchObject({ n: 2, pearson: undefined, kendall_p: undefined });
  expect(row?.empty_because).toBe('2 matched configurations; a correlation needs 3');
});

test('a summary holds the t interval of the mean over replicates, and none for a single one', () => {
  const replicates = [12.1, 11.8, 12.6].map((latency_ms) => ({ model: 'a', threads: 1, latency_ms, energy_j: 1 }));
  const rows = read(
    tabulateSummaries(analyze([...replicates, { model: 'b', threads: 1, latency_ms: 5, energy_j: 2 }])),
  );
  // scipy 1.17.1: stats.t.interval(0.95, 2, mean, sem)
  expect(rows[0]).toMatchObject({
    response: 'latency_ms',
    n: 3,
    min: 11.8,
    max: 12.6,
    method: 't interval of the mean over replicates, 95 %',
  });
  expect(rows[0]?.mean).toBeCloseTo(12.166666666666666, 12);
  expect(rows[0]?.sd).toBeCloseTo(0.40414518843273756, 12);
  expect(rows[0]?.lo).toBeCloseTo(11.162714363058459, 9);
  expect(rows[0]?.hi).toBeCloseTo(13.170618970274873, 9);
  expect(rows[2]).toMatchObject({
    model: 'b',
    n: 1,
    mean: 5,
    sd: undefined,
    lo: undefined,
    method: 'one replicate: no interval; it takes two, and narrows with more',
  });
});

test('a latency whose requests are kept has the interval of all of them pooled, or none where they are too few', () => {
  const records = [0, 1, 2].map((replicate) => ({
    model: 'a',
    threads: 1,
    latency_mean_ms: 2 + replicate,
    latency_p999_ms: 9,
    replicate,
  }));
  // Each replicate repeats ten values, so the mean of all requests and those of the replicates are known.
  const requests = records.map(({ latency_mean_ms }) =>
    Float64Array.from({ length: 400 }, (_, index) => latency_mean_ms + (index % 10) / 10 - 0.45),
  );
  const load = { kind: 'open', utilization: 0.3 } as const;
  const options = {
    factors: ['model', 'threads'],
    objectives: [{ response: 'latency_mean_ms', direction: 'minimize' as const }],
    contexts: [],
  };
  const summaryOf = (requestsOf: NonNullable<AnalysisOptions['requestsOf']>) =>
    read(tabulateSummaries(analyzeTable(tableFromRecords(records, ['model', 'threads']), { ...options, requestsOf })));
  const [mean, p999] = summaryOf((row) => ({ latenciesMs: requests[row] as Float64Array, load }));
  expect(mean).toMatchObject({
    response: 'latency_mean_ms',
    n: 3,
    mean: 3,
    method: '95 %, 3 replicates, t on the reciprocal of the mean, all requests pooled',
  });
  expect(mean?.estimate).toBeCloseTo(3, 12);
  // Batch means 2, 3, 4: standard error 1 / sqrt(3), t(0.975; 2) = 4.302653, relative 0.828, so 3 / 1.828 to 3 / 0.172.
  expect(mean?.lo).toBeCloseTo(3 / (1 + 4.302653 / Math.sqrt(3) / 3), 5);
  expect(mean?.hi).toBeCloseTo(3 / (1 - 4.302653 / Math.sqrt(3) / 3), 3);
  expect(p999).toMatchObject({ n: 3, mean: 9, estimate: undefined, lo: undefined, hi: undefined });
  expect(p999?.method).toMatch(
    /^no interval: 3 replicates; at a utilization of 0.3 an interval of the p999 takes \d+ of their length/,
  );

  const [changing] = summaryOf((row) => ({ latenciesMs: requests[row] as Float64Array, load: 'changing' }));
  expect(changing).toMatchObject({ lo: undefined, method: expect.stringContaining('the load changes by design') });
  const [incomplete] = summaryOf((row) =>
    row === 0 ? undefined : { latenciesMs: requests[row] as Float64Array, load },
  );
  expect(incomplete).toMatchObject({ estimate: 3, method: 't interval of the mean over replicates, 95 %' });
});

test('responses are all columns of numbers that are neither factors nor bookkeeping', () => {
  const records = TRIALS.map((trial, index) => ({
    ...trial,
    run_order: index,
    accuracy_top1: 0.9,
    note: 'x',
    power_w: '',
  }));
  expect(analyze(records).options.responses).toEqual(['latency_ms', 'energy_j', 'accuracy_top1']);
});

test('everything that is wrong with a table is reported at once', () => {
  const records = [
    { model: 'a', latency_ms: 'fast', energy_j: 1 },
    { model: 'b', latency_ms: 'inf', energy_j: 'n/a' },
  ];
  expect(() => analyze(records, { contexts: ['host'] })).toThrowErrorMatchingInlineSnapshot(`
    [AnalysisError: context "host" is not one of the factors (model, threads)
      Add it to the factors, or choose one of them.
    column "threads"  the table has no such column
      Its columns are: model, latency_ms, energy_j.
    column "latency_ms"  2 cells are not a finite number: "fast" in row 1, "inf" in row 2
      Give decimal numbers, and leave a cell empty where nothing was measured.
    column "energy_j"  1 cell is not a finite number: "n/a" in row 2
      Give decimal numbers, and leave a cell empty where nothing was measured.]
  `);
});

test('a table with one row is refused, and so is one with none', () => {
  expect(() => analyze(TRIALS.slice(0, 1))).toThrow('the table has one row');
  const empty = createTableBuilder(['model', 'threads', 'latency_ms', 'energy_j']).finish();
  expect(() => analyzeTable(empty, TWO_OBJECTIVES)).toThrow('the table has no rows');
});

test('factors may be columns of numbers', () => {
  const analysis = analyzeTable(tableFromRecords(TRIALS), TWO_OBJECTIVES);
  expect(read(tabulateFronts(analysis))).toEqual(read(tabulateFronts(analyze(TRIALS))));
});

test('roles that contradict each other are refused', () => {
  expect(() =>
    analyze(TRIALS, {
      factors: ['model', 'model', 'energy_j'],
      objectives: [{ response: 'energy_j', direction: 'minimize' }],
      contexts: [],
      confidence: 95,
    }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [AnalysisError: factor "model" is named twice
      Name it once.
    "energy_j" is both a factor and an objective
      A factor is set, an objective is measured; choose one.
    the confidence is 95
      Give a share between 0 and 1, e.g. 0.95.]
  `);
});

const MIXED = TRIALS.map(({ energy_j, ...trial }, index) => ({
  ...trial,
  energy_per_inference_j: energy_j,
  energy_source: index === 0 ? 'estimate' : 'rapl',
}));
const ENERGY = { objectives: [{ response: 'energy_per_inference_j', direction: 'minimize' }] } as const;

test('estimated and measured energy share no front unless asked to', () => {
  expect(() => analyze(MIXED, ENERGY)).toThrowErrorMatchingInlineSnapshot(`
    [AnalysisError: column "energy_source"  estimated and measured energy would share a front (rows: 1 estimate, 5 rapl)
      Analyse them apart, leave out the objective energy_per_inference_j, or accept the mix with --allow-mixed-energy.]
  `);
  expect(analyze(MIXED, { ...ENERGY, allowMixedEnergy: true }).fronts).toHaveLength(3);
  expect(analyze(MIXED, { objectives: [{ response: 'latency_ms', direction: 'minimize' }] }).fronts).toHaveLength(3);
});

test('what a reader should know is noted', () => {
  const records = [
    { model: 'a', threads: 1, latency_ms: 10, energy_j: '' },
    { model: 'a', threads: 1, latency_ms: '', energy_j: '' },
    { model: 'a', threads: 2, latency_ms: 5, energy_j: '' },
  ];
  expect(analyze(records).notes).toMatchInlineSnapshot(`
    [
      "no usable row has a value of the objective energy_j, so every front is empty; measure it, or leave it out of the objectives",
      "in 1 of 2 configurations some replicates lack latency_ms; their means are over the other replicates",
      "context "model" has one value (a), so there is nothing to correlate",
    ]
  `);
});

test('permuting rows changes no front', () => {
  const records = fc.array(
    fc.record({ model: fc.constantFrom('a', 'b'), threads: fc.nat(5), latency_ms: fc.nat(9), energy_j: fc.nat(9) }),
    { minLength: 2, maxLength: 30 },
  );
  const orders = records.chain((rows) =>
    fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })),
  );
  const byConfiguration = (rows: Records) =>
    read(tabulateFronts(analyze(rows)))
      .map(({ front, model, threads, on_front }) => `${front} ${model} ${threads} ${on_front}`)
      .sort();
  fc.assert(
    fc.property(orders, ([rows, shuffled]) => {
      expect(byConfiguration(shuffled)).toEqual(byConfiguration(rows));
    }),
    { numRuns: 15 },
  );
});

describe('order effects', () => {
  const rows = (driftPerTrial: number) =>
    Array.from({ length: 40 }, (_, index) => ({
      batch: String(1 + (index % 4)),
      run_order: index + 1,
      latency_ms: (1 + (index % 4)) * (10 + driftPerTrial * index) * (1 + 0.01 * ((index * 7) % 5)),
    }));
  const notesOf = (driftPerTrial: number) =>
    analyzeTable(tableFromRecords(rows(driftPerTrial), ['batch']), {
      factors: ['batch'],
      objectives: [{ response: 'latency_ms', direction: 'minimize' }],
      contexts: [],
    }).notes.filter((note) => note.includes('run order'));

  test('an objective that rises over the run is told, with how much', () => {
    expect(notesOf(0.05)).toHaveLength(1);
    expect(notesOf(0.05)[0]).toMatch(
      /latency_ms moved with the run order \(\+1\d\.\d % from the first trial to the last/,
    );
  });

  test('an objective that does not is not mentioned', () => {
    expect(notesOf(0)).toEqual([]);
  });
});

test('of very many configurations the tables list those on a front, and a note says so', () => {
  const builder = createTableBuilder(['a', 'b', 'latency_ms', 'energy_j'], ['a', 'b']);
  for (let row = 0; row < 100_001; row++)
    builder.add([row % 400, Math.floor(row / 400), (row * 7919) % 100_001, row % 17]);
  const analysis = analyzeTable(builder.finish(), {
    factors: ['a', 'b'],
    objectives: [
      { response: 'latency_ms', direction: 'minimize' },
      { response: 'energy_j', direction: 'minimize' },
    ],
    contexts: [],
    responses: ['latency_ms', 'energy_j'],
  });
  expect(analysis.notes).toContain(
    'of 100001 configurations summary.csv lists only those on a front, because more than 200000 rows are not written',
  );
  const onFront = (analysis.fronts[0]?.onFront ?? []).filter((mark) => mark === 1).length;
  expect(onFront).toBeGreaterThan(0);
  expect([...analysis.summaries].length).toBe(2 * onFront);
});
