import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatNumber } from '../../src/report/index.ts';

describe('a number for people', () => {
  it.each([
    [0.103456, '0.1035'],
    [231.4567, '231.5'],
    [1235496, '1235496'],
    [0, '0'],
    [12345.678, '12350'],
    [1e-9, '1e-9'],
    [-2.5, '-2.5'],
    [1.25e9, '1250000000'],
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('is never further off than half a unit of its fourth digit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), (value) => {
        expect(Math.abs(Number(formatNumber(value)) - value)).toBeLessThanOrEqual(Math.abs(value) * 5.0001e-4);
      }),
    );
  });
});

describe('a duration for people', () => {
  it.each([
    [0, '0 s'],
    [-3, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [80, '1 min 20 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [86400 * 2 + 3600, '2 d 1 h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
