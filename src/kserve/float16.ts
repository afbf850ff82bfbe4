/**
 * IEEE 754 half precision as the bits of a Uint16, for engines without Float16Array.
 *
 * Rounds to nearest, ties to even; what is too large becomes an infinity.
 */
export function toFloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  // log2 may round up to the next whole number just below a power of two.
  const floor = 2 ** exponent > magnitude ? exponent - 1 : exponent;
  // A mantissa that rounds up to 1024 carries into the exponent, which is the right result.
  return sign | (((floor + 15) << 10) + roundHalfEven((magnitude / 2 ** floor - 1) * 1024));
}

/** The number that half-precision bits stand for; exact. */
export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
