import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRng, deriveSeed } from '../src/rng.ts';

test('the same seed gives the same numbers on every machine', () => {
  const rng = createRng(42);
  expect([rng.integer(1, 1000), rng.integer(1, 1000), rng.integer(1, 1000)]).toMatchInlineSnapshot(`
    [
      606,
      226,
      536,
    ]
  `);
});

test('streams derived under different labels differ', () => {
  expect(deriveSeed(1, 'order')).not.toBe(deriveSeed(1, 'arrivals'));
  expect(deriveSeed(1, 'order')).toBe(deriveSeed(1, 'order'));
});

test('exponential numbers have the mean and the variation of their distribution', () => {
  const rng = createRng(7);
  const values = Array.from({ length: 200_000 }, () => rng.exponential(4));
  const mean = values.reduce((a, b) => a + b) / values.length;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  expect(mean).toBeCloseTo(0.25, 2);
  expect(sd / mean).toBeCloseTo(1, 1);
});

test('normal numbers have mean 0 and standard deviation 1', () => {
  const rng = createRng(7);
  const values = Array.from({ length: 200_000 }, () => rng.normal());
  const mean = values.reduce((a, b) => a + b) / values.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)).toBeCloseTo(1, 1);
});

test('a shuffle is a permutation', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.integer()), (seed, items) => {
      expect(createRng(seed).shuffle(items).sort()).toEqual([...items].sort());
    }),
  );
});
