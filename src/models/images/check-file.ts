import { ImageError } from './image-error.ts';

const MOST_BYTES = 32e6;

/** Longest side, pixels: a JPEG cannot have a longer one, and a PNG of one pixel by 40 million takes over ten seconds and a gigabyte. */
const LONGEST_SIDE = 65_535;

/**
 * Most scans of a JPEG. Progressive ones have about ten; each goes over all coefficients of the image, so that 100 kB of nearly empty ones would keep a decoder busy for
 * minutes, and it looks at its time limit only behind the last.
 */
const MOST_SCANS = 50;

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff);
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Where a PNG says its width; its height follows. Source: PNG specification, section 11.2.1. */
const PNG_WIDTH_AT = 16;

/** JPEG markers. Source: ITU-T T.81, table B.1. */
const SOS = 0xda;
const EOI = 0xd9;

/**
 * Refuses what need not be given to a decoder, or would keep it busy out of all proportion to its size.
 * @throws ImageError where it is neither a JPEG nor a PNG file, has over 32 MB, a side over 65,535 pixels or over 50 scans
 */
export function checkImageFile(bytes: Uint8Array): void {
  const begins = (signature: Uint8Array) => signature.every((byte, index) => bytes[index] === byte);
  const isPng = begins(PNG);
  if (!begins(JPEG) && !isPng) {
    throw new ImageError('format', `these ${bytes.byteLength} bytes are neither a JPEG nor a PNG file`);
  }
  if (bytes.byteLength > MOST_BYTES) {
    throw new ImageError('size', `the image has ${bytes.byteLength} bytes, and ${MOST_BYTES} are the most`);
  }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isPng) checkSides(file);
  else if (countScans(file) > MOST_SCANS) {
    throw new ImageError('size', `the image has over ${MOST_SCANS} scans, which are the most`);
  }
}

function checkSides(png: Buffer): void {
  if (png.byteLength < PNG_WIDTH_AT + 8) return;
  const [width, height] = [png.readUInt32BE(PNG_WIDTH_AT), png.readUInt32BE(PNG_WIDTH_AT + 4)];
  if (Math.max(width, height) <= LONGEST_SIDE) return;
  throw new ImageError('size', `the image is ${width} x ${height} pixels, and ${LONGEST_SIDE} are the most for a side`);
}

/** Scans of a JPEG as a decoder finds them, which looks for the next marker wherever it expects one; counts to one more than the most. */
function countScans(jpeg: Buffer): number {
  let scans = 0;
  for (let at = jpeg.indexOf(0xff); at !== -1 && scans <= MOST_SCANS; at = jpeg.indexOf(0xff, at)) {
    const marker = jpeg[++at];
    if (marker === undefined || marker === EOI) break;
    if (!hasLength(marker)) continue;
    if (marker === SOS) scans++;
    if (at + 3 > jpeg.byteLength) break;
    at += 1 + Math.max(2, jpeg.readUInt16BE(at + 1));
  }
  return scans;
}

/** Whether a byte behind 0xff begins a segment: not where it is data (0), fill (0xff), or a marker that stands alone (TEM, RST0 to RST7, SOI). */
function hasLength(marker: number): boolean {
  return marker > 0x01 && marker < 0xff && (marker < 0xd0 || marker > 0xd8);
}
