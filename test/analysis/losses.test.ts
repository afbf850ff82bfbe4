import { expect, test } from 'vitest';
import {
  type AnalysisOptions,
  analyzeTable,
  type CellValue,
  levelsOf,
  recommend,
  tableFromRecords,
} from '../../src/analysis/index.ts';
import { limitLoss } from '../../src/spec/index.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

const FACTORS = ['model', 'variant', 'batch'];

function analyze(records: Records, options: Partial<AnalysisOptions> = {}) {
  const factors = options.factors ?? FACTORS;
  return analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'latency_ms', direction: 'minimize' }],
    constraints: [limitLoss('accuracy_top1', 0.01)],
    contexts: [],
    ...options,
  });
}

/** Why each configuration was left out, by its levels. */
function reasons(records: Records, options: Partial<AnalysisOptions> = {}): Record<string, string> {
  const { configurations, leftOut } = analyze(records, options);
  return Object.fromEntries(
    leftOut.map(({ configuration, reason }) => [levelsOf(configurations, configuration).join(' '), reason]),
  );
}

const row = (model: string, variant: string, batch: number, accuracy_top1: number | undefined, latency_ms = 5) => ({
  model,
  variant,
  batch,
  accuracy_top1,
  latency_ms,
});

test('a configuration is held against the base variant of the same model and batch, and not against another', () => {
  const records = [
    row('small', 'fp32', 1, 0.9),
    row('small', 'int8-static', 1, 0.893),
    row('small', 'distilled+int8-static', 1, 0.8),
    row('large', 'fp32', 1, 0.99),
    row('large', 'int8-static', 1, 0.97),
    row('large', 'pruned-30', 1, 1),
  ];
  expect(reasons(records)).toEqual({
    'small distilled+int8-static 1': 'loses more than 1 % of accuracy_top1 (11.1 %: 0.8 against 0.9 at variant=fp32)',
    'large int8-static 1': 'loses more than 1 % of accuracy_top1 (2.02 %: 0.97 against 0.99 at variant=fp32)',
  });
});

test('a loss of exactly the limit is within it, whatever rounding does', () => {
  for (const [base, value, share] of [
    [1, 0.99, 0.01],
    [1, 0.993, 0.7 / 100],
    [0.98, 0.9702, 0.01],
  ] as const) {
    const records = [row('a', 'fp32', 1, base), row('a', 'fp16', 1, value)];
    expect(reasons(records, { constraints: [limitLoss('accuracy_top1', share)] })).toEqual({});
    expect(reasons(records, { constraints: [limitLoss('accuracy_top1', share * 0.999)] })).toHaveProperty('a fp16 1');
  }
});

test('without a base, or without a value of it, nothing is known to hold', () => {
  const records = [
    row('a', 'fp32', 1, 0.9),
    row('a', 'int8-static', 8, 0.9),
    row('b', 'fp32', 1, undefined),
    row('b', 'int8-static', 1, 0.9),
    row('c', 'fp32', 1, 0),
    row('c', 'int8-static', 1, 0.9),
    row('d', 'fp32', 1, 0.9),
    row('d', 'int8-static', 1, undefined),
  ];
  const unknown = 'so a loss of at most 1 % of accuracy_top1 is not known to hold';
  expect(reasons(records)).toEqual({
    'a int8-static 8': `there is no variant=fp32 of the same configuration, ${unknown}`,
    'b fp32 1': `accuracy_top1 was not measured, ${unknown}`,
    'b int8-static 1': `variant=fp32 of the same configuration has no accuracy_top1, ${unknown}`,
    'c fp32 1': `variant=fp32 of the same configuration gives 0 for accuracy_top1, ${unknown}`,
    'c int8-static 1': `variant=fp32 of the same configuration gives 0 for accuracy_top1, ${unknown}`,
    'd int8-static 1': `accuracy_top1 was not measured, ${unknown}`,
  });
});

test('a base whose every trial is invalid is no base', () => {
  const records = [
    { ...row('a', 'fp32', 1, 0.9), state: 'done', verdict: 'invalid' },
    { ...row('a', 'int8-static', 1, 0.9), state: 'done', verdict: 'valid' },
    { ...row('b', 'fp32', 1, 0.9), state: 'done', verdict: 'valid' },
  ];
  expect(reasons(records)).toEqual({
    'a fp32 1': 'every trial failed or is invalid',
    'a int8-static 1':
      'variant=fp32 of the same configuration has no accuracy_top1, so a loss of at most 1 % of accuracy_top1 is not known to hold',
  });
});

test('of a response of which less is better, a loss is how much more it is; the objectives say it of unknown columns', () => {
  const records = [row('a', 'fp32', 1, 0.9, 10), row('a', 'fp16', 1, 0.9, 10.4), row('a', 'int8-static', 1, 0.9, 11)];
  expect(reasons(records, { constraints: [limitLoss('latency_ms', 0.05)] })).toEqual({
    'a int8-static 1': 'loses more than 5 % of latency_ms (10 %: 11 against 10 at variant=fp32)',
  });
});

test('a recommendation keeps to the limit, and draws of base and variant say how surely', () => {
  const records = [-0.004, 0, 0.004].flatMap((noise) => [
    row('a', 'fp32', 1, 0.95 + noise, 9),
    row('a', 'fp16', 1, 0.941 - noise, 7),
    row('a', 'int8-static', 1, 0.8 + noise, 2),
  ]);
  const analysis = analyze(records);
  const found = recommend(analysis);
  if (!('choice' in found)) throw new Error('nothing was found');
  expect(levelsOf(analysis.configurations, found.choice.configuration)).toEqual(['a', 'fp16', '1']);
  expect(found.choice.held[0]).toBeCloseTo(0.009 / 0.95, 6);
  expect(found.choice.chances?.meets.value).toBeGreaterThan(0.4);
  expect(found.choice.chances?.meets.value).toBeLessThan(0.8);
  // The base loses nothing against itself, in no draw.
  expect(found.safer && levelsOf(analysis.configurations, found.safer.configuration)).toEqual(['a', 'fp32', '1']);
  expect(found.safer?.chances?.meets.value).toBe(1);
});

test('a loss without the factor variant, or of a column of which no one knows what is better, is refused', () => {
  const records = [row('a', 'fp32', 1, 0.9), row('a', 'fp16', 1, 0.9)].map((one) => ({ ...one, bumps: 3 }));
  expect(() => reasons(records, { factors: ['model', 'batch'] })).toThrow(
    '"variant" is not one of the factors (model, batch), so there is no base to lose against',
  );
  expect(() => reasons(records, { constraints: [limitLoss('bumps', 0.01)] })).toThrow(
    'whether more or less of "bumps" is better is not known',
  );
  expect(() => reasons(records, { constraints: [limitLoss('acuracy', 0.01)] })).toThrow('the table has no such column');
});
