import { readFileSync } from 'node:fs';
import { ModelError, messageOf } from '../errors.ts';

/** An array of bytes as IDX files hold it, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTES = 0x08;

/**
 * Reads an IDX file of unsigned bytes: two zero bytes, the type, the rank, each dimension as a big-endian 32-bit number, then the elements.
 *
 * @throws ModelError if the file is missing, is not of that form, or is longer or shorter than its dimensions say
 * Source: LeCun, Cortes and Burges, "The MNIST database", section "File formats"
 */
export function readIdx(file: string): IdxArray {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw badIdx(file, `cannot be read: ${messageOf(error)}`, error);
  }
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0) throw badIdx(file, 'does not start as an IDX file does');
  const [type, rank] = [bytes.readUInt8(2), bytes.readUInt8(3)];
  if (type !== UNSIGNED_BYTES)
    throw badIdx(file, `holds elements of type 0x${type.toString(16)}, not unsigned bytes (0x8)`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw badIdx(file, `ends within its ${rank} dimensions`);
  const shape = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const expected = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - header;
  if (rank === 0 || found !== expected) {
    throw badIdx(file, `holds ${found} elements where its dimensions [${shape.join(', ')}] say ${expected}`);
  }
  return { shape, data: bytes.subarray(header) };
}

function badIdx(where: string, what: string, cause?: unknown): ModelError {
  return new ModelError(
    { where, what: `the data file ${what}`, hint: 'Give an uncompressed IDX file, as MNIST uses.' },
    cause,
  );
}
