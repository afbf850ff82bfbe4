import { expect, test } from 'vitest';
import { drawWeights } from '../../src/models/synthetic-weights.ts';

test('weights have the mean and the standard deviation that were asked for', () => {
  const weights = drawWeights(7, 'conv.weight', 400_000, 0.25, 0.5);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  const variance = weights.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / weights.length;
  expect(mean).toBeCloseTo(0.25, 2);
  expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
});

test('a tensor gets its own stream, the same on every machine', () => {
  const first = [...drawWeights(1, 'a', 3, 0, 1)];
  expect(first).toEqual([...drawWeights(1, 'a', 3, 0, 1)]);
  expect(first).not.toEqual([...drawWeights(1, 'b', 3, 0, 1)]);
  expect(first).toMatchInlineSnapshot(`
    [
      1.9846327304840088,
      0.8188496232032776,
      -0.5320686101913452,
    ]
  `);
});
