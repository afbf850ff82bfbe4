import type { DataType, TensorData } from '../../models/types.ts';
import { numericView, wireTypeOf } from '../datatypes.ts';
import { decodeJsonTensor } from '../json-tensor.ts';
import { KserveError } from '../kserve-error.ts';
import type { TensorContents } from './messages.ts';

type Field = keyof TensorContents;

/** Which field holds the elements of a type; FP16 has none. */
const FIELDS: Readonly<Record<Exclude<DataType, 'float16'>, Field>> = {
  bool: 'bool_contents',
  int8: 'int_contents',
  int16: 'int_contents',
  int32: 'int_contents',
  int64: 'int64_contents',
  uint8: 'uint_contents',
  uint16: 'uint_contents',
  uint32: 'uint_contents',
  uint64: 'uint64_contents',
  float32: 'fp32_contents',
  float64: 'fp64_contents',
  string: 'bytes_contents',
};

/** Whether typed contents can hold the type at all; where not it travels as raw bytes. */
export function hasContents(type: DataType): boolean {
  return type !== 'float16';
}

/**
 * The elements of a typed tensor.
 * @throws KserveError with status 400 where they are in another field, do not fill the shape, or the type cannot hold one of them
 */
export function decodeContents(
  type: DataType,
  shape: readonly number[],
  contents: TensorContents,
  label: string,
): TensorData {
  if (type === 'float16') {
    throw new KserveError(400, `${label} is FP16, which has no typed contents; send it in raw_input_contents`);
  }
  const field = FIELDS[type];
  const other = Object.entries(contents).find(([name, values]) => name !== field && values.length > 0);
  if (other !== undefined) {
    throw new KserveError(
      400,
      `${label} is ${wireTypeOf(type).name} and has data in ${other[0]}, where ${field} holds it`,
    );
  }
  const values = contents[field] ?? [];
  if (type === 'float32' || type === 'float64') return decodeFloats(type, shape, values as readonly number[], label);
  if (type === 'string') return decodeJsonTensor(type, shape, (values as readonly Uint8Array[]).map(decodeText), label);
  return decodeJsonTensor(type, shape, values, label);

  function decodeText(bytes: Uint8Array, index: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new KserveError(400, `string ${index} of ${label} is not UTF-8 text`);
    }
  }
}

/** Protobuf floats are the type's own, non-finite ones among them, so none has to be looked at. */
function decodeFloats(
  type: 'float32' | 'float64',
  shape: readonly number[],
  values: readonly number[],
  label: string,
): TensorData {
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (values.length !== count) {
    throw new KserveError(400, `${label} has ${values.length} values, but its shape [${shape}] makes ${count}`);
  }
  const View = numericView(type);
  const data = new View(count);
  (data as Float32Array | Float64Array).set(values);
  return data;
}

/** Typed contents of a tensor that is not FP16. */
export function encodeContents(type: Exclude<DataType, 'float16'>, data: TensorData): TensorContents {
  const field = FIELDS[type];
  if (Array.isArray(data)) return { [field]: data.map((text) => Buffer.from(text)) };
  if (type === 'bool') return { [field]: Array.from(data, Boolean) };
  return { [field]: type === 'int64' || type === 'uint64' ? Array.from(data, String) : Array.from(data as Int8Array) };
}
