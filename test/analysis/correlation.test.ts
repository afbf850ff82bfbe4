import fc from 'fast-check';
import { expect, test } from 'vitest';
import { correlate } from '../../src/analysis/index.ts';
import { rankDensely, shareRanks } from '../../src/analysis/ranks.ts';
import type { Coefficient } from '../../src/analysis/types.ts';

function coefficientsOf(x: readonly number[], y: readonly number[]) {
  const outcome = correlate(Float64Array.from(x), Float64Array.from(y));
  if ('reason' in outcome) throw new Error(outcome.reason);
  return outcome;
}

function expectCoefficient(actual: Coefficient, value: number, p: number, method: string) {
  expect(actual.value).toBeCloseTo(value, 13);
  expect(actual.p / p).toBeCloseTo(1, 9);
  expect(actual.method).toBe(method);
}

// Expected values: scipy 1.17.1, stats.pearsonr, spearmanr and kendalltau; the exact p of Spearman by trying all orders in Python.

test('coefficients and p-values of eight pairs without ties agree with scipy', () => {
  const { pearson, spearman, kendall } = coefficientsOf(
    [4.2, 1.5, 3.3, 8.1, 6.6, 2.7, 9.4, 5.0],
    [3.9, 2.2, 2.9, 7.0, 8.8, 1.1, 9.0, 6.1],
  );
  expectCoefficient(pearson, 0.9127732610544275, 0.001552513540039537, 't');
  expectCoefficient(spearman, 0.9523809523809524, 0.001140873015873016, 'exact');
  expectCoefficient(kendall, 0.8571428571428571, 0.001736111111111111, 'exact');
});

test('coefficients and p-values of pairs with ties agree with scipy', () => {
  const { pearson, spearman, kendall } = coefficientsOf(
    [1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 8, 8],
    [2, 1, 3, 3, 4, 6, 5, 5, 5, 9, 7, 8],
  );
  expectCoefficient(pearson, 0.8986013221159252, 7.105053921264317e-5, 't');
  expectCoefficient(spearman, 0.9037447512963375, 5.525808286252664e-5, 't');
  expectCoefficient(kendall, 0.7642529005727388, 0.0009610519865806666, 'normal');
});

const longX = Array.from({ length: 60 }, (_, index) => ((index * 37) % 61) + index);
const longY = Array.from({ length: 60 }, (_, index) => ((index * 17) % 53) - 0.5 * index);

test('coefficients and p-values of sixty pairs agree with scipy', () => {
  const { pearson, spearman, kendall } = coefficientsOf(longX, longY);
  expectCoefficient(pearson, -0.21144582854990712, 0.10484750632820647, 't');
  expectCoefficient(spearman, -0.20755765490414008, 0.11154263877107286, 't');
  expectCoefficient(kendall, -0.06214689265536723, 0.4829460656826725, 'normal');
});

test('coefficients and p-values of ten pairs agree with scipy', () => {
  const { pearson, spearman, kendall } = coefficientsOf(longX.slice(0, 10), longY.slice(0, 10));
  expectCoefficient(pearson, 0.5444067881431803, 0.10372877066757756, 't');
  expectCoefficient(spearman, 0.5151515151515151, 0.1275528697032343, 't');
  expectCoefficient(kendall, 0.4666666666666666, 0.07255015432098766, 'exact');
});

test('Kendall counts the pairs that a double loop counts', () => {
  const values = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
    minLength: 3,
    maxLength: 40,
  });
  fc.assert(
    fc.property(values, (pairs) => {
      const x = pairs.map(([left]) => left);
      const y = pairs.map(([, right]) => right);
      fc.pre(new Set(x).size > 1 && new Set(y).size > 1);
      let score = 0;
      let untiedX = 0;
      let untiedY = 0;
      for (let i = 0; i < x.length; i++) {
        for (let j = 0; j < i; j++) {
          const signX = Math.sign((x[i] as number) - (x[j] as number));
          const signY = Math.sign((y[i] as number) - (y[j] as number));
          score += signX * signY;
          untiedX += signX ** 2;
          untiedY += signY ** 2;
        }
      }
      expect(coefficientsOf(x, y).kendall.value).toBeCloseTo(score / Math.sqrt(untiedX * untiedY), 12);
    }),
  );
});

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 });

test('every coefficient is symmetric, within -1 and 1, and has a p between 0 and 1', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(finite, finite), { minLength: 3, maxLength: 30 }), (pairs) => {
      const x = pairs.map(([left]) => left);
      const y = pairs.map(([, right]) => right);
      fc.pre(new Set(x).size > 1 && new Set(y).size > 1);
      const one = coefficientsOf(x, y);
      const other = coefficientsOf(y, x);
      for (const name of ['pearson', 'spearman', 'kendall'] as const) {
        expect(Math.abs(one[name].value)).toBeLessThanOrEqual(1);
        expect(one[name].p).toBeGreaterThanOrEqual(0);
        expect(one[name].p).toBeLessThanOrEqual(1);
        expect(one[name].value).toBeCloseTo(other[name].value, 10);
      }
    }),
  );
});

test('a straight line correlates fully', () => {
  const line = [0.1, 0.2, 0.3, 0.4];
  const { pearson, spearman, kendall } = coefficientsOf(
    line,
    line.map((value) => 7 - 3 * value),
  );
  expect([pearson.value, spearman.value, kendall.value].map((value) => Number(value.toFixed(12)))).toEqual([
    -1, -1, -1,
  ]);
  expect(pearson.p).toBeLessThan(1e-12);
});

test.each([
  [[1, 2], [3, 4], '2 matched configurations; a correlation needs 3'],
  [[1, 1, 1], [1, 2, 3], 'all values are equal on side a'],
  [[1, 2, 3], [4, 4, 4], 'all values are equal on side b'],
  [[1, 1, 1], [4, 4, 4], 'all values are equal on both sides'],
])('%j against %j has no correlation, and says why', (x, y, reason) => {
  expect(correlate(Float64Array.from(x), Float64Array.from(y))).toEqual({ reason });
});

test('equal values share the mean of their ranks', () => {
  expect([...shareRanks(rankDensely(Float64Array.of(5, 1, 5, 3)))]).toEqual([3.5, 1, 3.5, 2]);
});
