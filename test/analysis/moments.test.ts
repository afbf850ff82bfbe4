import { expect, test } from 'vitest';
import { describe as describeValues } from '../../src/analysis/index.ts';
import { UNIVARIATE } from './nist-strd.ts';

test.each(UNIVARIATE)('mean and standard deviation of $name are the certified ones', ({ values, mean, sd }) => {
  const moments = describeValues(Float64Array.from(values));
  expect(moments.n).toBe(values.length);
  expect(Math.abs(moments.mean / mean - 1)).toBeLessThan(1e-14);
  // The decimals of NumAcc4 are not exact in binary, which alone costs the eighth digit of its deviation.
  expect(Math.abs(moments.sd / sd - 1)).toBeLessThan(values[0] > 1e6 && values.length > 3 ? 1e-8 : 1e-12);
});

test('equal values have no spread and a mean within their range, whatever rounding does', () => {
  const values = new Float64Array(7).fill(0.1);
  expect(describeValues(values)).toEqual({ n: 7, mean: 0.1, sd: 0, min: 0.1, max: 0.1 });
});

test('empty cells are passed over', () => {
  expect(describeValues(Float64Array.of(Number.NaN, 2, Number.NaN, 4))).toMatchObject({
    n: 2,
    mean: 3,
    min: 2,
    max: 4,
  });
  expect(describeValues(Float64Array.of(Number.NaN))).toMatchObject({ n: 0, mean: Number.NaN });
});
