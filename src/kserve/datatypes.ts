import type { DataType, TensorData } from '../models/types.ts';

/** A tensor element type on the wire. */
export interface WireType {
  /** The protocol's name of it, e.g. "FP32". */
  readonly name: string;
  readonly type: DataType;
  /** Bytes of one element; 0 for strings, whose elements carry their own length. */
  readonly elementBytes: number;
}

type NumericData = Exclude<TensorData, string[]>;

interface NumericView {
  new (length: number): NumericData;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): NumericData;
}

const NUMERIC_VIEWS: Readonly<Record<Exclude<DataType, 'string'>, NumericView>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

const WIRE_TYPES: readonly WireType[] = [
  { name: 'BOOL', type: 'bool', elementBytes: 1 },
  { name: 'UINT8', type: 'uint8', elementBytes: 1 },
  { name: 'UINT16', type: 'uint16', elementBytes: 2 },
  { name: 'UINT32', type: 'uint32', elementBytes: 4 },
  { name: 'UINT64', type: 'uint64', elementBytes: 8 },
  { name: 'INT8', type: 'int8', elementBytes: 1 },
  { name: 'INT16', type: 'int16', elementBytes: 2 },
  { name: 'INT32', type: 'int32', elementBytes: 4 },
  { name: 'INT64', type: 'int64', elementBytes: 8 },
  { name: 'FP16', type: 'float16', elementBytes: 2 },
  { name: 'FP32', type: 'float32', elementBytes: 4 },
  { name: 'FP64', type: 'float64', elementBytes: 8 },
  { name: 'BYTES', type: 'string', elementBytes: 0 },
];

const BY_NAME = new Map(WIRE_TYPES.map((wire) => [wire.name, wire]));
const BY_TYPE = new Map(WIRE_TYPES.map((wire) => [wire.type, wire]));

/** The protocol's names of all data types, for messages. */
export const WIRE_NAMES: readonly string[] = WIRE_TYPES.map(({ name }) => name);

/** @returns undefined where the protocol has no such name; names are case-sensitive */
export function wireTypeNamed(name: string): WireType | undefined {
  return BY_NAME.get(name);
}

export function wireTypeOf(type: DataType): WireType {
  return BY_TYPE.get(type) as WireType;
}

/** The array class that holds elements of a type. */
export function numericView(type: Exclude<DataType, 'string'>): NumericView {
  return NUMERIC_VIEWS[type];
}
