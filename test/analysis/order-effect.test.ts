import { expect, test } from 'vitest';
import { testOrderEffect } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

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
    Int32Array.from(configurations),
    Float64Array.from(configurations.keys()),
    Float64Array.from(values),
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
  const order = Float64Array.from(configurations.keys());
  const large = figuresOf(testOrderEffect(configurations, order, values, createRng(1)));
  const cut = testOrderEffect(configurations.subarray(0, 5000), order, values.subarray(0, 5000), createRng(1), 999);
  expect(large.method).toBe('normal');
  expect(figuresOf(cut).method).toBe('permutation');
  expect(Math.abs(figuresOf(cut).p - large.p)).toBeLessThan(0.05);
});

test('only configurations with two replicates or more take part, and empty values do not', () => {
  const rng = createRng(1);
  const order = Float64Array.of(1, 2, 3, 4, 5);
  const test = (values: number[]) =>
    testOrderEffect(Int32Array.of(1, 2, 1, 3, 2), order, Float64Array.from(values), rng);
  expect(figuresOf(test([1, 2, 3, 4, 5])).n).toBe(4);
  expect(test([1, 2, Number.NaN, 4, Number.NaN])).toEqual({
    reason: 'no configuration has two replicates whose order could matter',
  });
  expect(test([1, 2, 1, 4, 2])).toEqual({ reason: 'all replicates agree exactly' });
});
