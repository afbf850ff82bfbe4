import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16Bits, toFloat16Bits } from '../src/float16.ts';

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

  it('rounds to the nearer neighbour, and from the middle to the even one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, share) => {
        const [low, high] = [fromFloat16Bits(bits), fromFloat16Bits(bits + 1)];
        const value = low + share * (high - low);
        const nearest = value - low < high - value ? bits : value - low > high - value ? bits + 1 : bits + (bits % 2);
        expect(toFloat16Bits(value)).toBe(nearest);
        expect(toFloat16Bits(-value)).toBe(0x8000 | nearest);
      }),
    );
  });
});
