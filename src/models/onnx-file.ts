// The light build has no .proto parser, which is not needed here.
import protobuf from 'protobufjs/light.js';
import { ModelError, messageOf } from '../errors.ts';
import { type GraphProto, type Int64, type MessageName, type ModelProto, onnxSchema } from './onnx-schema.ts';

/** A message as protobufjs decodes it. Fields that the schema does not know are kept as bytes under `$unknowns` and written back. */
type Raw = Record<string, unknown>;
type FieldRow = readonly [number, string, string?];

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(onnxSchema).map(([name, fields]) => [name, { edition: 'proto2', fields: describeFields(fields) }]),
  ),
});
const modelType = root.lookupType('ModelProto');
const rowsOf = new Map(
  Object.entries(onnxSchema).map(([name, fields]) => [name, Object.entries(fields) as [string, FieldRow][]]),
);

/** A model that has what every ONNX model must: its graph. */
export type OnnxModel = ModelProto & { graph: GraphProto };

/**
 * An ONNX model from the bytes of its file. Every field is kept, also those newer than the schema, so that writing it back loses nothing.
 *
 * Tensor bytes (`rawData`) are views into `bytes`, not copies.
 * @param where - the file's name, for error messages
 * @throws ModelError if the bytes are not an ONNX model
 */
export function readOnnx(bytes: Uint8Array, where: string): OnnxModel {
  if (bytes.length === 0) throw notOnnx(where, 'the file is empty');
  let model: ModelProto;
  try {
    const reader = protobuf.Reader.create(bytes);
    reader.discardUnknown = false;
    model = toPlain('ModelProto', modelType.decode(reader) as unknown as Raw) as ModelProto;
  } catch (error) {
    throw notOnnx(where, `its bytes do not decode (${messageOf(error)}); it may be cut short`, error);
  }
  // Protocol buffers decode many other bytes without complaint; these are what every ONNX model has.
  const { irVersion, graph, opsetImport } = model;
  if (irVersion === undefined || graph === undefined || opsetImport.length === 0 || graph.output.length === 0) {
    throw notOnnx(where, 'it lacks a graph with an output, an IR version or an operator set');
  }
  return Object.assign(model, { graph });
}

/** The bytes of an ONNX file. Fields are written in the order of their numbers, so the same model gives the same bytes everywhere. */
export function writeOnnx(model: ModelProto): Uint8Array {
  return modelType.encode(toRaw('ModelProto', model as unknown as Raw)).finish();
}

function notOnnx(where: string, why: string, cause?: unknown): ModelError {
  return new ModelError(
    { where, what: `not an ONNX model: ${why}`, hint: 'Give the path of an .onnx file, or a name from the catalogue.' },
    cause,
  );
}

function describeFields(fields: Readonly<Record<string, FieldRow>>) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, list]]) => [
      name,
      { id, type, ...(list && { rule: 'repeated' }), ...(list === 'packed' && { options: { packed: true } }) },
    ]),
  );
}

/** protobufjs keeps defaults and empty lists on the prototype; a plain object holds just what the file held, and each list. */
function toPlain(name: MessageName, raw: Raw): Raw {
  return mapFields(name, raw, (type, value) => {
    if (type === 'int64' || type === 'uint64') return fromLong(value as Long);
    return isMessage(type) ? toPlain(type, value as Raw) : value;
  });
}

function toRaw(name: MessageName, plain: Raw): Raw {
  return mapFields(name, plain, (type, value) => {
    if (typeof value === 'bigint') return toLong(value);
    return isMessage(type) ? toRaw(type, value as Raw) : value;
  });
}

function mapFields(name: MessageName, source: Raw, map: (type: string, value: unknown) => unknown): Raw {
  const target: Raw = {};
  for (const [field, [, type, list]] of rowsOf.get(name) ?? []) {
    const value = Object.hasOwn(source, field) ? source[field] : undefined;
    if (list !== undefined) target[field] = ((value ?? []) as unknown[]).map((item) => map(type, item));
    else if (value !== undefined) target[field] = map(type, value);
  }
  if (Object.hasOwn(source, '$unknowns')) target.$unknowns = source.$unknowns;
  return target;
}

function isMessage(type: string): type is MessageName {
  return Object.hasOwn(onnxSchema, type);
}

/** A 64-bit integer as protobufjs reads and writes it: two halves of 32 bits. */
interface Long {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

function fromLong({ low, high, unsigned }: Long): Int64 {
  const upper = unsigned ? high >>> 0 : high;
  const number = upper * 2 ** 32 + (low >>> 0);
  return Number.isSafeInteger(number) ? number : (BigInt(upper) << 32n) | BigInt(low >>> 0);
}

function toLong(value: bigint): Long {
  const low = Number(BigInt.asIntN(32, value));
  return { low, high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: value > 0x7fffffffffffffffn };
}
