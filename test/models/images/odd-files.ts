import { crc32, deflateSync } from 'node:zlib';

/** Image files made by hand, which no encoder would write. */

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample, 8 where absent. */
  readonly depth?: number;
  /** PNG's colour type, 2 (RGB) where absent. */
  readonly colour?: number;
  readonly interlace?: number;
  /** Chunks between the header and the pixels. */
  readonly before?: readonly Buffer[];
  /** What is in IDAT; absent: as many black pixels as the header says. */
  readonly pixels?: Buffer;
}

export function makePng(options: PngOptions): Buffer {
  const { width, height, depth = 8, colour = 2, interlace = 0, before = [] } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    ...before,
    pngChunk('IDAT', options.pixels ?? blackPixels(width, height, depth * (SAMPLES[colour] ?? 1), interlace)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Samples of a pixel by colour type. Source: PNG specification, section 6.1. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Rows of zeros, each behind its filter byte; interlaced, some more for the rows of seven passes. */
function blackPixels(width: number, height: number, bitsPerPixel: number, interlace: number): Buffer {
  const bytes = height * (1 + Math.ceil((width * bitsPerPixel) / 8));
  return deflateSync(Buffer.alloc(interlace === 0 ? bytes : bytes + 16 * height), { level: 1 });
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, crc]);
}

/** Longest run of blocks that one code of a progressive JPEG ends, and the shortest of that code. */
const [LONGEST_RUN, SHORTEST_RUN] = [32_767, 16_384];

/**
 * A right, progressive, evenly grey JPEG of as many scans as asked for, 893 at most, which hold next to nothing: a few bytes for each hundred thousand blocks.
 * Source: ITU-T T.81, annex G.
 */
export function makeManyScans({ side, scans }: { readonly side: number; readonly scans: number }): Buffer {
  const blocks = Math.ceil(side / 8) ** 2;
  const [high, low] = [side >> 8, side & 0xff];
  const ac = nothingIn(blocks);
  const parts = [
    Buffer.from([0xff, 0xd8]),
    jpegSegment(0xdb, [0, ...Array(64).fill(1)]),
    jpegSegment(0xc2, [8, high, low, high, low, 1, 1, 0x11, 0]),
    // One code of one bit in each table: no difference (DC); a run of blocks at their ends (AC).
    jpegSegment(0xc4, [0x00, 1, ...Array(15).fill(0), 0]),
    jpegSegment(0xc4, [0x10, 1, ...Array(15).fill(0), 0xe0]),
    jpegSegment(0xda, [1, 1, 0, 0, 0, 0]),
    Buffer.alloc(Math.ceil(blocks / 8)),
  ];
  for (let scan = 0; scan < scans - 1; scan++) {
    const band = 1 + Math.floor(scan / PLANES);
    const plane = PLANES - 1 - (scan % PLANES);
    const before = plane === PLANES - 1 ? 0 : plane + 1;
    parts.push(jpegSegment(0xda, [1, 1, 0, band, band, (before << 4) | plane]), ac);
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xd9])]);
}

/** Bits of a coefficient, each a scan of its own. */
const PLANES = 14;

function jpegSegment(marker: number, data: readonly number[]): Buffer {
  return Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 0xff, ...data]);
}

/** Entropy-coded: no coefficient in any block. */
function nothingIn(blocks: number): Buffer {
  let bits = '';
  for (let left = blocks; left > 0; left -= LONGEST_RUN) {
    const run = Math.max(SHORTEST_RUN, Math.min(left, LONGEST_RUN));
    bits += `0${(run - SHORTEST_RUN).toString(2).padStart(14, '0')}`;
  }
  const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2));
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])));
}
