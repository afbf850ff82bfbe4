import { expect, test } from 'vitest';
import { createRequestOrder } from '../../src/load/generator/request-order.ts';
import type { Popularity } from '../../src/spec/types.ts';

const DRAWS = 200_000;

function shares(count: number, popularity: Popularity, seed = 1): number[] {
  const next = createRequestOrder(count, popularity, seed);
  const counts = new Array<number>(count).fill(0);
  for (let i = 0; i < DRAWS; i++) (counts[next()] as number)++;
  return counts.map((sent) => sent / DRAWS);
}

test('in turn, every request comes once before any comes again', () => {
  const next = createRequestOrder(3, { kind: 'in-turn' }, 1);
  expect(Array.from({ length: 7 }, next)).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

test('uniform draws send every request equally often, each independent of the last', () => {
  for (const share of shares(10, { kind: 'uniform' })) expect(share).toBeCloseTo(0.1, 2);
  const next = createRequestOrder(10, { kind: 'uniform' }, 1);
  const draws = Array.from({ length: DRAWS }, next);
  expect(draws.filter((draw, i) => draw === draws[i - 1]).length / DRAWS).toBeCloseTo(0.1, 2);
});

test.each([0.5, 1, 2])(
  'under Zipf with exponent %d the k-th request has a share in proportion to 1/k^s',
  (exponent) => {
    const weights = Array.from({ length: 50 }, (_, index) => 1 / (index + 1) ** exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, share] of shares(50, { kind: 'zipf', exponent }).entries()) {
      expect(share).toBeCloseTo((weights[index] as number) / total, 2);
    }
  },
);

test('the same seed gives the same order, another seed another', () => {
  const order = (seed: number) => {
    const next = createRequestOrder(100, { kind: 'zipf', exponent: 1 }, seed);
    return Array.from({ length: 50 }, next);
  };
  expect(order(7)).toEqual(order(7));
  expect(order(7)).not.toEqual(order(8));
});
