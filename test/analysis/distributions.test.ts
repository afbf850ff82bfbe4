import { expect, test } from 'vitest';
import { fUpperP, normalQuantile, normalTwoSidedP, tTwoSidedP } from '../../src/analysis/distributions.ts';
import { tCritical } from '../../src/student-t.ts';

// Expected values: scipy 1.17.1, stats.t, stats.f and stats.norm.

test.each([
  [2.5, 3, 0.08770664700806556],
  [-6, 10, 0.00013210886035478557],
  [40, 30, 1.3726045194406417e-27],
  [1.3, 1, 0.41742880032030544],
  [2.2, 7.5, 0.0611994659061161],
])('a t of %d with %d degrees of freedom has the two-sided p %d', (t, df, p) => {
  expect(tTwoSidedP(t, df) / p).toBeCloseTo(1, 12);
});

test.each([
  [0.95, 1, 12.706204736174694],
  [0.95, 4, 2.7764451051977934],
  [0.99, 30, 2.7499956535672254],
  [0.95, 1e5, 1.9599877075346095],
  [0.999999, 7, 15.767009437159881],
])('at %d confidence and %d degrees of freedom the critical t is %d', (confidence, df, t) => {
  expect(tCritical(confidence, df) / t).toBeCloseTo(1, 10);
});

test('tails of F and of the normal distribution keep their digits', () => {
  expect(fUpperP(4.5, 3, 20)).toBeCloseTo(0.014373244610897428, 14);
  expect(normalTwoSidedP(8) / 1.244192114854348e-15).toBeCloseTo(1, 10);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
});
