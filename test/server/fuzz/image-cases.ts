import { deflateSync, gzipSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { ImageDescription } from '../../../src/models/types.ts';
import { makeManyScans, makePng, pngChunk } from '../../models/images/odd-files.ts';
import { type Choice, mangle } from './choice.ts';
import { converse } from './converse.ts';
import { post } from './rest-requests.ts';
import type { CaseKind, Expected } from './types.ts';

/** The model gives back the pixels it is given, 2 x 2 of three colours: an image of one colour is answered with that colour. */
export const PIXELS: ImageDescription = {
  ...{ channels: 'rgb', layout: 'nchw', kernel: 'linear', scale: 1, mean: [0], std: [1] },
};
const PATH = '/v2/models/pixels/classify';
const PLANE = 4;
const WRONG: Expected = { refused: true };

type Colour = readonly [red: number, green: number, blue: number];

interface ColouredFile {
  readonly bytes: Buffer;
  readonly colour: Colour;
  readonly isPng: boolean;
}

const BLACK: Colour = [0, 0, 0];
/** Images of one colour in every form that a right client might send. */
const FILES = await makeFiles();

async function makeFiles(): Promise<readonly ColouredFile[]> {
  const files: Promise<ColouredFile>[] = [];
  const colours: readonly Colour[] = [BLACK, [255, 255, 255], [255, 0, 0], [12, 200, 99], [128, 127, 1]];
  for (const [r, g, b] of colours) {
    for (const [width, height] of [
      [1, 1],
      [2, 2],
      [37, 11],
      [300, 200],
    ] as const) {
      const plain = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
      const add = (encoded: Sharp, isPng: boolean) =>
        files.push(encoded.toBuffer().then((bytes) => ({ bytes, colour: [r, g, b], isPng })));
      add(plain.clone().png(), true);
      add(plain.clone().png({ palette: true, progressive: true }), true);
      add(plain.clone().jpeg(), false);
      add(plain.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }), false);
      add(plain.clone().withMetadata({ orientation: 6 }).jpeg(), false);
    }
  }
  return await Promise.all(files);
}

/** Every channel of every pixel is the colour's, or as near as JPEG comes to it; without a colour any value that a pixel may have will do. */
function isColour(colour: Colour | undefined): NonNullable<Expected['answer']> {
  return (body) => {
    const { predictions } = JSON.parse(body.toString());
    const wrong = predictions.find(({ class: index, score }: { class: number; score: number }) => {
      const value = colour?.[Math.floor(index / PLANE)];
      return value === undefined ? !(score >= 0 && score <= 255) : Math.abs(score - value) > 3;
    });
    if (wrong !== undefined) return `answered with another colour: ${JSON.stringify(wrong)}`;
    return predictions.length > 0 ? undefined : 'answered with no classes';
  };
}

/** Right images over both ways a connection may be read, whatever the client calls them. */
export const goodImages: CaseKind = (choose, { port }) => {
  const { bytes, colour } = choose.of(FILES);
  const path = choose.of([PATH, `${PATH}?top=12`, `${PATH}?top=1&timeout=60000000`]);
  const types = ['image/png', 'image/jpeg', 'application/json', 'multipart/form-data', 'text/plain;;', ''];
  const fields: Record<string, string> = choose.chance(0.5) ? { 'content-type': choose.of(types) } : {};
  return converse(port, {
    steps: [post(bytes, fields, path)],
    expected: [{ refused: false, answer: isColour(colour) }],
  });
};

/** Bytes that are cut, spoilt or repeated: refused, or, as PNG has checksums, answered as if they had not been; a JPEG may say another picture. */
export const mangledImages: CaseKind = (choose, { port }) => {
  const { bytes, colour, isPng } = choose.of(FILES);
  const answer = isColour(isPng ? colour : undefined);
  return converse(port, { steps: [post(mangle(choose, bytes), {}, PATH)], expected: [{ refused: true, answer }] });
};

const QUERIES = ['top=0', 'top=-1', 'top=1e9x', 'top=', 'top=1&top=2', 'timeout=-1', 'timeout=x', 'x=1', '__proto__=1'];

/** Requests that must be refused: other formats, bytes around an image, questions that make no sense, encodings. */
const SPOIL: readonly ((choose: Choice, bytes: Buffer) => Buffer)[] = [
  (_choose, bytes) => post(bytes.subarray(0, 20), {}, PATH),
  (_choose, bytes) => post(Buffer.concat([Buffer.from('\r\n'), bytes]), {}, PATH),
  (choose) => post(choose.bytes(choose.integer(0, 300)), {}, PATH),
  (choose) => post(choose.of(['', 'GIF89a', 'RIFF\0\0\0\0WEBPVP8 ', '<svg/>', '%PDF-1.7', 'BM', 'II*\0']), {}, PATH),
  (choose, bytes) => post(bytes, { 'content-encoding': choose.of(['gzip', 'br', 'x']) }, PATH),
  (_choose, bytes) => post(gzipSync(bytes), {}, PATH),
  (_choose, bytes) => post(bytes.toString('base64'), {}, PATH),
  (_choose, bytes) => post(JSON.stringify({ image: bytes.toString('base64') }), {}, PATH),
  (choose, bytes) => post(bytes, {}, `${PATH}?${choose.of(QUERIES)}`),
  (choose, bytes) => post(bytes, {}, choose.of(['/v2/models/tiny/classify', '/v2/models/none/classify'])),
  (choose, bytes) => post(bytes, {}, `/v2/models/pixels/versions/${choose.of(['2', '%00', 'x'])}/classify`),
  (choose) => post(oddHeader(choose), {}, PATH),
];

/** PNG headers that say more than is there, or what no PNG may say; their checksums are right. */
function oddHeader(choose: Choice): Buffer {
  const pixels = deflateSync(Buffer.alloc(choose.of([0, 1, 12])));
  const size = () => choose.of([0, 9, 6_000, 65_535, 65_536, 4e7, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]);
  return choose.of([
    () => makePng({ width: size(), height: size(), pixels }),
    () => makePng({ width: 8, height: 8, depth: choose.of([0, 3, 32, 255]), pixels }),
    () => makePng({ width: 8, height: 8, colour: choose.of([1, 5, 7, 255]), pixels }),
    () => makePng({ width: 8, height: 8, interlace: choose.of([1, 2, 255]), pixels }),
  ])();
}

export const spoiltImages: CaseKind = (choose, { port }) => {
  const bytes = choose.of(SPOIL)(choose, choose.of(FILES).bytes);
  return converse(port, { steps: [bytes], expected: [WRONG] });
};

/** Files that a decoder would make much of. The first are refused by their headers; the others may be, or are answered: they are black, or grey. */
const REFUSED_BOMBS: readonly (() => Buffer)[] = [
  once(() => makePng({ width: 1, height: 4e7, colour: 0, pixels: deflateSync(Buffer.alloc(8e7)) })),
  once(() => makePng({ width: 4e7, height: 1, colour: 0 })),
  once(() => makePng({ width: 100_000, height: 100_000, pixels: deflateSync(Buffer.alloc(1e6)) })),
  once(() => makePng({ width: 7_000, height: 7_000, colour: 0 })),
  once(() => makeManyScans({ side: 4_000, scans: 883 })),
];
const BOMBS: readonly (() => Buffer)[] = [
  once(() => makePng({ width: 6_000, height: 6_000, colour: 0 })),
  once(() => makePng({ width: 2_000, height: 2_000, depth: 16, colour: 6, interlace: 1 })),
  once(() => makePng({ width: 60_000, height: 60, colour: 0 })),
  once(() => makePng({ width: 8, height: 8, before: [pngChunk('iCCP', inflating(150e6, 'x\0\0'))] })),
  once(() => makePng({ width: 8, height: 8, before: [pngChunk('zTXt', inflating(150e6, 'x\0\0'))] })),
  once(() => makePng({ width: 8, height: 8, before: Array(9_000).fill(pngChunk('tEXt', Buffer.from('k\0v'))) })),
  once(() => makePng({ width: 8, height: 8, pixels: deflateSync(Buffer.alloc(150e6)) })),
  once(() => makeManyScans({ side: 1_000, scans: 50 })),
];
/** Those that are decoded take up to a second of a CPU. */
const BOMB_SHARE = 0.1;

export const imageBombs: CaseKind = (choose, { port }) => {
  if (!choose.chance(BOMB_SHARE)) {
    return converse(port, { steps: [post(choose.of(REFUSED_BOMBS)(), {}, PATH)], expected: [WRONG] });
  }
  return converse(port, {
    steps: [post(choose.of(BOMBS)(), {}, PATH)],
    expected: [{ refused: true, answer: isColour(undefined) }],
  });
};

function inflating(bytes: number, lead: string): Buffer {
  return Buffer.concat([Buffer.from(lead, 'latin1'), deflateSync(Buffer.alloc(bytes))]);
}

/** Makes a file when it is first sent. */
function once(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
