import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16Bits, toFloat16Bits } from '../../src/kserve/float16.ts';

describe('half precision', () => {
  it('keeps every one of its 65,536 values', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromFloat16Bits(bits);
      if (Number.isNaN(value)) expect(toFloat16Bits(value)).toBe(0x7e00);
      else if (toFloat16Bits(value) !== bits)
        expect.unreachable(`${value} became ${toFloat16Bits(value)}, not ${bits}`);
    }
  });

  // Bits from IEEE 754-2008, table 3.5, and rounding to nearest, ties to even.
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [0.1, 0x2e66],
  ])('writes %f as it should', (value, bits) => {
    expect(toFloat16Bits(value)).toBe(bits);
  });

  it('rounds to one of the two nearest values', () => {
    fc.assert(
      fc.property(fc.double({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const rounded = fromFloat16Bits(toFloat16Bits(value));
        const spacing = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10));
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(spacing / 2);
      }),
    );
  });
});
