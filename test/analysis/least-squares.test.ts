import { expect, test } from 'vitest';
import { leastSquares } from '../../src/analysis/least-squares.ts';
import { REGRESSIONS } from './nist-regression.ts';

test.each(REGRESSIONS)('NIST $name', ({ columns, y, coefficients, standardErrors, digits }) => {
  const fit = leastSquares(columns, y);
  const agreeing = (value: number, certified: number) => -Math.log10(Math.abs(value - certified) / Math.abs(certified));
  for (const [at, certified] of coefficients.entries()) {
    expect(agreeing(fit?.coefficients[at] as number, certified)).toBeGreaterThan(digits);
  }
  for (const [at, certified] of standardErrors.entries()) {
    expect(agreeing(fit?.standardErrors[at] as number, certified)).toBeGreaterThan(digits);
  }
});

test('columns that follow from each other, or outnumber the rows, cannot be fitted', () => {
  const x = Float64Array.of(1, 2, 3);
  expect(leastSquares([x, x.map((value) => 2 * value)], x)).toBeUndefined();
  expect(leastSquares([x, x, x, x], x)).toBeUndefined();
});
