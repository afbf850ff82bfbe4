import { readFileSync } from 'node:fs';
import { ModelError, messageOf } from '../errors.ts';

const readers: Readonly<Record<string, readonly [bytes: number, (view: DataView, offset: number) => number]>> = {
  '|u1': [1, (view, offset) => view.getUint8(offset)],
  '|i1': [1, (view, offset) => view.getInt8(offset)],
  '<i2': [2, (view, offset) => view.getInt16(offset, true)],
  '<u2': [2, (view, offset) => view.getUint16(offset, true)],
  '<i4': [4, (view, offset) => view.getInt32(offset, true)],
  '<i8': [8, (view, offset) => Number(view.getBigInt64(offset, true))],
  '<f4': [4, (view, offset) => view.getFloat32(offset, true)],
  '<f8': [8, (view, offset) => view.getFloat64(offset, true)],
};

/**
 * Reads a NumPy array file of little-endian numbers in row-major order.
 *
 * @throws ModelError if it is missing, of another form or element type, or longer or shorter than its shape says
 * Source: numpy.lib.format, versions 1.0 to 3.0
 */
export function readNpy(file: string): { readonly shape: readonly number[]; readonly data: Float64Array } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw badNpy(file, `cannot be read: ${messageOf(error)}`, error);
  }
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw badNpy(file, 'does not start as one does');
  const isLong = bytes.readUInt8(6) >= 2;
  const start = isLong ? 12 : 10;
  const end = start + (isLong ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', start, Math.min(end, bytes.length));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '';
  const shape = /'shape':\s*\(([\d,\s]*)\)/
    .exec(header)?.[1]
    ?.split(',')
    .filter((text) => text.trim() !== '')
    .map(Number);
  const reader = readers[type];
  if (reader === undefined || shape === undefined || !/'fortran_order':\s*False/.test(header)) {
    throw badNpy(file, `has the header ${JSON.stringify(header.trim().slice(0, 200))}`);
  }
  const [size, read] = reader;
  const count = shape.reduce((product, length) => product * length, 1);
  if (bytes.length - end !== count * size) {
    throw badNpy(file, `holds ${bytes.length - end} bytes where ${count} elements of ${type} need ${count * size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + end, count * size);
  return { shape, data: Float64Array.from({ length: count }, (_, index) => read(view, index * size)) };
}

function badNpy(where: string, what: string, cause?: unknown): ModelError {
  return new ModelError(
    {
      where,
      what: `the array file ${what}`,
      hint: `Save it with numpy.save, row-major, as one of ${Object.keys(readers).join(', ')}.`,
    },
    cause,
  );
}
