import fc from 'fast-check';
import type { DataType, NamedTensor, TensorData } from '../../src/models/types.ts';

/** Values of every element type, extremes and (for floats) non-finite ones included. float16 is any bits. */
const elements: Readonly<Record<DataType, (count: number) => fc.Arbitrary<TensorData>>> = {
  float32: (count) => fc.float32Array(exactly(count)),
  float64: (count) => fc.float64Array(exactly(count)),
  float16: (count) => fc.uint16Array(exactly(count)).map((bits) => bits.map(canonicalNaN)),
  int8: (count) => fc.int8Array(exactly(count)),
  int16: (count) => fc.int16Array(exactly(count)),
  int32: (count) => fc.int32Array(exactly(count)),
  int64: (count) => fc.bigInt64Array(exactly(count)),
  uint8: (count) => fc.uint8Array(exactly(count)),
  uint16: (count) => fc.uint16Array(exactly(count)),
  uint32: (count) => fc.uint32Array(exactly(count)),
  uint64: (count) => fc.bigUint64Array(exactly(count)),
  bool: (count) => fc.uint8Array({ ...exactly(count), max: 1 }),
  string: (count) => fc.array(fc.string({ unit: 'grapheme' }), exactly(count)),
};

function exactly(count: number): { minLength: number; maxLength: number } {
  return { minLength: count, maxLength: count };
}

/** Text cannot tell the many bit patterns of NaN apart. */
function canonicalNaN(bits: number): number {
  return (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0 ? 0x7e00 : bits;
}

const types = Object.keys(elements) as DataType[];

export const anyTensor: fc.Arbitrary<NamedTensor> = fc
  .record({
    name: fc.string({ minLength: 1 }),
    type: fc.constantFrom(...types),
    shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
  })
  .chain(({ name, type, shape }) =>
    elements[type](shape.reduce((a, b) => a * b, 1)).map((data) => ({ name, type, shape, data })),
  );

export const anyTensors: fc.Arbitrary<NamedTensor[]> = fc.uniqueArray(anyTensor, {
  minLength: 1,
  maxLength: 4,
  selector: ({ name }) => name,
});
