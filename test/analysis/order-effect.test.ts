import { expect, test } from 'vitest';
import { testOrderEffect } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

/** Three replicates of ten configurations in blocks, each block in random order, with 3 % of noise and a relative drift over the run. */
function runOf(seed: number, drift: number) {
  const rng = createRng(seed);
  const configurations: number[] = [];
  for (let block = 0; block < 3; block++)
    configurations.push(...rng.shuffle(Array.from({ length: 10 }, (_, index) => index)));
  const values = configurations.map(
    (configuration, place) => 2 ** configuration * (1 + (drift * place) / 29) * (1 + 0.03 * rng.normal()),
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
