import type { DataType, NamedTensor } from '../models/types.ts';
import { decodeBinaryTensor } from './binary-tensor.ts';
import { WIRE_NAMES, wireTypeNamed, wireTypeOf } from './datatypes.ts';
import { decodeJsonTensor } from './json-tensor.ts';
import { isObject, parseJsonObjectExactly } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import type { Parameters } from './types.ts';

/** A message split into its JSON object and the binary data behind it. */
export interface MessageParts {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly binary: Uint8Array<ArrayBuffer>;
}

/** How one entry of `inputs` or `outputs` describes its tensor, checked but not yet decoded. */
export interface TensorHeader {
  readonly label: string;
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly count: number;
  /** Bytes of binary data, or undefined where the tensor is in `data`. */
  readonly binaryBytes: number | undefined;
  readonly data: unknown;
}

/** More axes than any runtime takes; keeps absurd shapes from costing anything. */
const MOST_AXES = 64;

/** Reads one entry of `inputs` (a request) or `outputs` (a response). */
export function readTensorHeader(entry: unknown, what: 'input' | 'output', index: number): TensorHeader {
  if (!isObject(entry)) throw new KserveError(400, `${what} ${index} is ${quote(entry)}, where an object is expected`);
  const { name, datatype, shape, data } = entry;
  if (typeof name !== 'string')
    throw new KserveError(400, `${what} ${index} has ${quote(name)} as its name, where a string is expected`);
  const label = `${what} ${quote(name)}`;
  const wire = typeof datatype === 'string' ? wireTypeNamed(datatype) : undefined;
  if (wire === undefined) {
    throw new KserveError(
      400,
      `${label} has the datatype ${quote(datatype)}, which is none of ${WIRE_NAMES.join(', ')}`,
    );
  }
  const dims = readShape(shape, label);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count))
    throw new KserveError(400, `${label} has the shape [${dims}], which has too many elements`);
  const binaryBytes = readBinaryBytes(readParameters(entry.parameters, label), data, label);
  return { label, name, type: wire.type, shape: dims, count, binaryBytes, data };
}

function readShape(shape: unknown, label: string): readonly number[] {
  const isShape =
    Array.isArray(shape) && shape.length <= MOST_AXES && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!isShape)
    throw new KserveError(400, `${label} has the shape ${quote(shape)}, where an array of whole numbers is expected`);
  return shape;
}

export function readParameters(value: unknown, label: string): Parameters {
  if (value === undefined || value === null) return {};
  if (!isObject(value))
    throw new KserveError(400, `${label} has ${quote(value)} as its parameters, where an object is expected`);
  return value;
}

function readBinaryBytes(parameters: Parameters, data: unknown, label: string): number | undefined {
  const size = parameters.binary_data_size;
  if (size === undefined) {
    if (data === undefined)
      throw new KserveError(400, `${label} has neither "data" nor the parameter "binary_data_size"`);
    return undefined;
  }
  if (data !== undefined) throw new KserveError(400, `${label} has both "data" and the parameter "binary_data_size"`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw new KserveError(400, `${label} has the binary_data_size ${quote(size)}, where a number of bytes is expected`);
  }
  return size as number;
}

/** Decodes the tensors in the order of their entries; their binary data follow each other in that order and fill the message exactly. */
export function decodeTensors(
  headers: readonly TensorHeader[],
  parts: MessageParts,
  key: 'inputs' | 'outputs',
): NamedTensor[] {
  const announced = headers.reduce((total, header) => total + (header.binaryBytes ?? 0), 0);
  if (announced !== parts.binary.byteLength) {
    throw new KserveError(
      400,
      `the binary_data_size of all ${key} add up to ${announced} bytes, but ${parts.binary.byteLength} bytes follow the JSON object`,
    );
  }
  let offset = 0;
  return headers.map((header, index) => {
    const { label, name, type, shape, count, binaryBytes } = header;
    if (binaryBytes === undefined) {
      const data = hasRoundedInteger(header) ? readExactData(parts, key, index) : header.data;
      return { name, type, shape, data: decodeJsonTensor(type, shape, data, label) };
    }
    const bytes = parts.binary.subarray(offset, offset + binaryBytes);
    offset += binaryBytes;
    return { name, type, shape, data: decodeBinaryTensor(type, count, bytes, label) };
  });
}

/** Whether `JSON.parse` may have rounded a 64-bit integer of this tensor. */
function hasRoundedInteger({ type, data }: TensorHeader): boolean {
  if (wireTypeOf(type).elementBytes !== 8 || type === 'float64' || !Array.isArray(data)) return false;
  return (data.flat(Number.POSITIVE_INFINITY) as unknown[]).some(
    (value) => typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value),
  );
}

function readExactData(parts: MessageParts, key: 'inputs' | 'outputs', index: number): unknown {
  const entries = parseJsonObjectExactly(parts.json, 400, 'the message')[key] as readonly { data: unknown }[];
  return entries[index]?.data;
}
