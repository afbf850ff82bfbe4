import { describe, expect, test } from 'vitest';
import { type OrderedTrials, testOrderEffect } from '../../src/analysis/index.ts';
import { createRng, type Rng } from '../../src/rng.ts';
import { launchedRun } from './launched-run.ts';

/** Three replicates of ten configurations, or as many as asked, in blocks, each block in random order, with 3 % of noise and a relative drift over the run. */
function runOf(seed: number, drift: number, count = 10) {
  const rng = createRng(seed);
  const configurations: number[] = [];
  for (let block = 0; block < 3; block++)
    configurations.push(...rng.shuffle(Array.from({ length: count }, (_, index) => index)));
  const values = configurations.map(
    (configuration, place) =>
      2 ** (configuration % 10) * (1 + (drift * place) / (3 * count - 1)) * (1 + 0.03 * rng.normal()),
  );
  return testOrderEffect(
    {
      configurations: Int32Array.from(configurations),
      runOrder: Float64Array.from(configurations.keys()),
      values: Float64Array.from(values),
    },
    rng,
    199,
  );
}

function figuresOf(effect: ReturnType<typeof runOf>) {
  if ('reason' in effect) throw new Error(effect.reason);
  return effect;
}

test('without a drift, p is below 5 % in about 5 % of all runs', () => {
  const significant = Array.from({ length: 300 }, (_, seed) => figuresOf(runOf(seed, 0)).p).filter(
    (p) => p <= 0.05,
  ).length;
  expect(significant / 300).toBeGreaterThan(0.02);
  expect(significant / 300).toBeLessThan(0.09);
});

test('a drift of 20 % is found and its size is about right', () => {
  const effects = Array.from({ length: 50 }, (_, seed) => figuresOf(runOf(seed, 0.2)));
  expect(effects.filter(({ p }) => p <= 0.05).length).toBeGreaterThanOrEqual(45);
  const mean = effects.reduce((sum, { relativeChange }) => sum + relativeChange, 0) / effects.length;
  expect(mean).toBeGreaterThan(0.14);
  expect(mean).toBeLessThan(0.22);
});

test('in a table of thousands of trials p is that of a normal distribution, about 5 % of them below 5 %', () => {
  const effects = Array.from({ length: 100 }, (_, seed) => figuresOf(runOf(seed, 0, 1700)));
  expect(new Set(effects.map(({ method }) => method))).toEqual(new Set(['normal']));
  const below = (share: number) => effects.filter(({ p }) => p <= share).length / 100;
  expect(below(0.05)).toBeLessThan(0.12);
  expect(below(0.5)).toBeGreaterThan(0.35);
  expect(below(0.5)).toBeLessThan(0.65);
  expect(figuresOf(runOf(1, 0.02, 1700)).p).toBeLessThan(1e-6);
});

test('the normal distribution and exchanges agree where both can be had', () => {
  // 5,001 trials, and all but the last of them.
  const configurations = Int32Array.from({ length: 5001 }, (_, trial) => trial % 1667);
  const rng = createRng(5);
  const values = Float64Array.from(configurations, () => 1 + 0.03 * rng.normal());
  const runOrder = Float64Array.from(configurations.keys());
  const large = figuresOf(testOrderEffect({ configurations, runOrder, values }, createRng(1)));
  const most = { configurations: configurations.subarray(0, 5000), runOrder, values: values.subarray(0, 5000) };
  const cut = testOrderEffect(most, createRng(1), 999);
  expect(large.method).toBe('normal');
  expect(figuresOf(cut).method).toBe('permutation');
  expect(Math.abs(figuresOf(cut).p - large.p)).toBeLessThan(0.05);
});

test('only configurations with two replicates or more take part, and empty values do not', () => {
  const rng = createRng(1);
  const runOrder = Float64Array.of(1, 2, 3, 4, 5);
  const configurations = Int32Array.of(1, 2, 1, 3, 2);
  const test = (values: number[]) =>
    testOrderEffect({ configurations, runOrder, values: Float64Array.from(values) }, rng);
  expect(figuresOf(test([1, 2, 3, 4, 5])).n).toBe(4);
  expect(test([1, 2, Number.NaN, 4, Number.NaN])).toEqual({
    reason: 'no configuration has two replicates whose order could matter',
  });
  expect(test([1, 2, 1, 4, 2])).toEqual({ reason: 'all replicates agree exactly' });
});

describe('trials that share launches', () => {
  const shareBelow = (trialsOf: (rng: Rng) => OrderedTrials) => {
    const below = Array.from({ length: 200 }, (_, seed) => {
      const rng = createRng(seed);
      return figuresOf(testOrderEffect(trialsOf(rng), rng, 199)).p <= 0.05;
    });
    return below.filter(Boolean).length / 200;
  };

  test('without a drift, p is below 5 % in about 5 % of all runs, also where trials are missing', () => {
    for (const isMissing of [() => false, (place: number) => place % 5 === 3]) {
      const share = shareBelow((rng) => launchedRun(rng, 6, 3, isMissing));
      expect(share).toBeGreaterThan(0.01);
      expect(share).toBeLessThan(0.09);
    }
    // Taken for independent, the same trials raise the alarm several times as often.
    const asTrials = shareBelow((rng) => ({ ...launchedRun(rng, 6, 3), launched: undefined }));
    expect(asTrials).toBeGreaterThan(0.12);
  });

  test('three servers launched twice have 8 orders, by hand', () => {
    // Every server slower by 1 % in its second launch, at both of its loads; the run is 0 1 2 2 1 0.
    const servers = [0, 1, 2, 2, 1, 0];
    const trials = servers.flatMap((server, launch) =>
      [0, 1].map((load) => ({ server, launch, load, value: (1 + server + load) * (launch < 3 ? 1 : 1.01) })),
    );
    const column = (read: (trial: (typeof trials)[number]) => number) => Int32Array.from(trials, read);
    const effect = figuresOf(
      testOrderEffect(
        {
          configurations: column(({ server, load }) => 2 * server + load),
          runOrder: Float64Array.from(trials.keys()),
          values: Float64Array.from(trials, ({ value }) => value),
          launched: { launches: column(({ launch }) => launch), servers: column(({ server }) => server) },
        },
        createRng(1),
      ),
    );
    // Of 8 orders none lies further than the one in which all are faster first, and the one in which all are slower first lies as far.
    expect(effect).toMatchObject({ n: 6, p: 2 / 8, method: 'permutation' });
    expect(effect.relativeChange).toBeGreaterThan(0.01);
    expect(effect.relativeChange).toBeLessThan(0.015);
  });

  test('a server that was launched once takes no part, whatever its loads', () => {
    const trials = launchedRun(createRng(1), 1, 1);
    expect(testOrderEffect({ ...trials, configurations: Int32Array.of(0, 0, 0) }, createRng(1))).toEqual({
      reason: 'no configuration has two launches whose order could matter',
    });
  });
});
