import { TextDecoder } from 'node:util';
import type { DataType, TensorData } from '../models/types.ts';
import { numericView, wireTypeOf } from './datatypes.ts';
import { KserveError } from './kserve-error.ts';

/** Memory for bytes that do not lie where a typed array can be laid over them: at least `size` bytes of it. */
export type Allocate = (size: number) => ArrayBuffer;

/**
 * Tensors as raw bytes: little-endian, row-major, no padding; a string is its length as a 4-byte unsigned integer and its UTF-8 bytes.
 *
 * Typed arrays are laid over the bytes without conversion, which is right on the little-endian machines Node runs on.
 * Source: KServe, "Binary Tensor Data Extension".
 */
export function decodeBinaryTensor(
  type: DataType,
  count: number,
  bytes: Uint8Array<ArrayBuffer>,
  label: string,
  allocate: Allocate = (size) => new ArrayBuffer(size),
): TensorData {
  if (type === 'string') return decodeStrings(count, bytes, label);
  const expected = count * wireTypeOf(type).elementBytes;
  if (bytes.byteLength !== expected) {
    throw new KserveError(
      400,
      `${label} has ${bytes.byteLength} bytes of binary data, but its shape and datatype make ${expected}`,
    );
  }
  if (type === 'bool') checkBooleans(bytes, label);
  const View = numericView(type);
  if (bytes.byteOffset % wireTypeOf(type).elementBytes === 0) return new View(bytes.buffer, bytes.byteOffset, count);
  const aligned = allocate(bytes.byteLength);
  new Uint8Array(aligned, 0, bytes.byteLength).set(bytes);
  return new View(aligned, 0, count);
}

function checkBooleans(bytes: Uint8Array, label: string): void {
  const wrong = bytes.find((byte) => byte > 1);
  if (wrong !== undefined)
    throw new KserveError(400, `${label} has the byte ${wrong} in BOOL data, where only 0 and 1 are allowed`);
}

const LENGTH_BYTES = 4;

function decodeStrings(count: number, bytes: Uint8Array<ArrayBuffer>, label: string): string[] {
  if (bytes.byteLength < count * LENGTH_BYTES) {
    throw new KserveError(400, `${label} has ${bytes.byteLength} bytes of binary data, too few for ${count} strings`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const strings: string[] = [];
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const start = offset + LENGTH_BYTES;
    const end = start <= bytes.byteLength ? start + view.getUint32(offset, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.byteLength) throw new KserveError(400, `${label} ends in the middle of string ${i}`);
    strings.push(decodeUtf8(decoder, bytes.subarray(start, end), `string ${i} of ${label}`));
    offset = end;
  }
  if (offset !== bytes.byteLength) {
    throw new KserveError(400, `${label} has ${bytes.byteLength - offset} bytes left after its ${count} strings`);
  }
  return strings;
}

function decodeUtf8(decoder: TextDecoder, bytes: Uint8Array, label: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new KserveError(400, `${label} is not UTF-8 text`);
  }
}

/** The bytes of a tensor; for numbers a view of its own memory, not a copy. */
export function encodeBinaryTensor(data: TensorData): Uint8Array {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const size = data.reduce((total, text) => total + LENGTH_BYTES + Buffer.byteLength(text), 0);
  const bytes = Buffer.alloc(size);
  let offset = 0;
  for (const text of data) {
    const length = bytes.write(text, offset + LENGTH_BYTES);
    bytes.writeUInt32LE(length, offset);
    offset += LENGTH_BYTES + length;
  }
  return bytes;
}
