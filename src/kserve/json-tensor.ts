import { fromFloat16Bits, toFloat16Bits } from '../float16.ts';
import type { DataType, TensorData } from '../models/types.ts';
import { numericView, wireTypeOf } from './datatypes.ts';
import { KserveError, quote } from './kserve-error.ts';

/**
 * Tensors as JSON `data`: one flat array in row-major order, or arrays nested as the shape says.
 *
 * JSON has neither NaN nor infinities nor exact 64-bit integers. Following protobuf's JSON mapping, which is how the protocol's gRPC messages become JSON,
 * non-finite floats are the strings "NaN", "Infinity" and "-Infinity", and an integer may also be written as a string of digits.
 * No value is ever changed silently: what the datatype cannot hold is an error.
 * @param data - the parsed `data` member
 */
export function decodeJsonTensor(type: DataType, shape: readonly number[], data: unknown, label: string): TensorData {
  if (!Array.isArray(data))
    throw new KserveError(400, `${label} has ${quote(data)} as its data, where an array is expected`);
  const flat = Array.isArray(data[0]) ? flatten(data, shape, label) : data;
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (flat.length !== count) {
    throw new KserveError(400, `${label} has ${flat.length} values, but its shape [${shape}] makes ${count}`);
  }
  return type === 'string' ? readStrings(flat, label) : readNumbers(type, flat, label);
}

function flatten(data: readonly unknown[], shape: readonly number[], label: string): unknown[] {
  const flat: unknown[] = [];
  const visit = (part: unknown, axis: number): void => {
    const isLeaf = axis === shape.length;
    if (isLeaf !== !Array.isArray(part)) {
      throw new KserveError(400, `${label} has nested data whose depth does not follow its shape [${shape}]`);
    }
    if (!Array.isArray(part)) {
      flat.push(part);
      return;
    }
    if (part.length !== shape[axis]) {
      throw new KserveError(
        400,
        `${label} has nested data with ${part.length} entries along axis ${axis}, but its shape is [${shape}]`,
      );
    }
    for (const child of part) visit(child, axis + 1);
  };
  visit(data, 0);
  return flat;
}

function readStrings(values: readonly unknown[], label: string): string[] {
  return values.map((value, index) => {
    if (typeof value !== 'string') throw wrongElement(value, index, 'string', label);
    return value;
  });
}

function readNumbers(type: Exclude<DataType, 'string'>, values: readonly unknown[], label: string): TensorData {
  const View = numericView(type);
  const read = READERS[type];
  const tensor = new View(values.length);
  for (let i = 0; i < values.length; i++) {
    const element = read(values[i]);
    if (element === undefined) throw wrongElement(values[i], i, type, label);
    tensor[i] = element;
  }
  return tensor;
}

function wrongElement(value: unknown, index: number, type: DataType, label: string): KserveError {
  return new KserveError(
    400,
    `${label} has ${quote(value)} as value ${index}, which is not a ${wireTypeOf(type).name} value`,
  );
}

/** Reads one JSON value as an element; undefined where the type cannot hold it. */
type ElementReader = (value: unknown) => number | bigint | undefined;

const NON_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function floatReader(largest: number): ElementReader {
  return (value) => {
    if (typeof value === 'number') return Math.abs(value) <= largest ? value : undefined;
    return typeof value === 'string' && Object.hasOwn(NON_FINITE, value) ? NON_FINITE[value] : undefined;
  };
}

function integerReader(lowest: number, highest: number): ElementReader {
  return (value) => {
    const number = typeof value === 'string' ? digitsToNumber(value) : value;
    return typeof number === 'number' && Number.isInteger(number) && number >= lowest && number <= highest
      ? number
      : undefined;
  };
}

function digitsToNumber(text: string): number {
  return /^-?\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
}

function bigIntegerReader(lowest: bigint, highest: bigint): ElementReader {
  return (value) => {
    const isExact =
      typeof value === 'number' ? Number.isSafeInteger(value) : typeof value === 'string' && /^-?\d{1,20}$/.test(value);
    if (!isExact) return undefined;
    const integer = BigInt(value as number | string);
    return integer >= lowest && integer <= highest ? integer : undefined;
  };
}

function readBoolean(value: unknown): number | undefined {
  if (value === true || value === 1) return 1;
  return value === false || value === 0 ? 0 : undefined;
}

const readFloat16Number = floatReader(65519.99);

const READERS: Readonly<Record<Exclude<DataType, 'string'>, ElementReader>> = {
  // Largest doubles that still round to a finite value of the narrower type.
  float32: floatReader(3.4028235677973362e38),
  float64: floatReader(Number.MAX_VALUE),
  float16: (value) => {
    const number = readFloat16Number(value);
    return number === undefined ? undefined : toFloat16Bits(number as number);
  },
  int8: integerReader(-(2 ** 7), 2 ** 7 - 1),
  int16: integerReader(-(2 ** 15), 2 ** 15 - 1),
  int32: integerReader(-(2 ** 31), 2 ** 31 - 1),
  int64: bigIntegerReader(-(2n ** 63n), 2n ** 63n - 1n),
  uint8: integerReader(0, 2 ** 8 - 1),
  uint16: integerReader(0, 2 ** 16 - 1),
  uint32: integerReader(0, 2 ** 32 - 1),
  uint64: bigIntegerReader(0n, 2n ** 64n - 1n),
  bool: readBoolean,
};

/** The flat JSON array of a tensor, as text. Numbers are written so that reading them back gives the same bits; 64-bit integers as plain digits. */
export function encodeJsonTensor(type: DataType, data: TensorData): string {
  if (Array.isArray(data)) return JSON.stringify(data);
  const parts = new Array<string>(data.length);
  for (let i = 0; i < data.length; i++) parts[i] = writeElement(type, data[i] as number | bigint);
  return `[${parts.join(',')}]`;
}

/** The tensor as JSON arrays nested as its shape says, as text. */
export function encodeNestedJsonTensor(type: DataType, shape: readonly number[], data: TensorData): string {
  const elements = Array.from(data as ArrayLike<number | bigint | string>, (element) =>
    typeof element === 'string' ? JSON.stringify(element) : writeElement(type, element),
  );
  const nested = shape.reduceRight<string[]>((parts, size) => {
    const rows: string[] = [];
    for (let at = 0; at < parts.length; at += size) rows.push(`[${parts.slice(at, at + size).join(',')}]`);
    return rows;
  }, elements);
  return nested.join('');
}

function writeElement(type: DataType, element: number | bigint): string {
  if (typeof element === 'bigint') return element.toString();
  if (type === 'bool') return element === 0 ? 'false' : 'true';
  const value = type === 'float16' ? fromFloat16Bits(element) : element;
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return `"${value}"`;
}
