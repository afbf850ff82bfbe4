import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createImageReader } from '../../../src/models/index.ts';
import type { ImageDescription, TensorSpec } from '../../../src/models/types.ts';
import { makeManyScans, makePng } from './odd-files.ts';

const PLAIN: ImageDescription = { channels: 'rgb', layout: 'nchw', kernel: 'linear', scale: 1, mean: [0], std: [1] };

function input(channels: number, height: number, width: number, type: TensorSpec['type'] = 'float32'): TensorSpec[] {
  return [{ name: 'x', type, shape: ['n', channels, height, width] }];
}

/** PNG file of RGB values. */
async function png(rgb: readonly number[], width: number, height: number): Promise<Uint8Array> {
  return await sharp(Uint8Array.from(rgb), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Values that differ from pixel to pixel and from colour to colour, the same each time. */
function pattern(width: number, height: number): number[] {
  return Array.from({ length: width * height * 3 }, (_, index) => (index * 53 + (index % 7) * 31) % 256);
}

async function read(description: ImageDescription, inputs: readonly TensorSpec[], bytes: Uint8Array) {
  const { data, shape } = await createImageReader(description, inputs, 'x.onnx')(bytes);
  return { values: Array.from(data as Float32Array), shape };
}

describe('an image becomes the input', () => {
  const RGB = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120];

  test('as its values in planes of red, green and blue', async () => {
    const { values, shape } = await read(PLAIN, input(3, 2, 2), await png(RGB, 2, 2));
    expect(shape).toEqual([1, 3, 2, 2]);
    expect(values).toEqual([10, 40, 70, 100, 20, 50, 80, 110, 30, 60, 90, 120]);
  });

  test('channels last, or blue first, where the model wants it so', async () => {
    const last: TensorSpec[] = [{ name: 'x', type: 'float32', shape: [1, 2, 2, 3] }];
    expect((await read({ ...PLAIN, layout: 'nhwc' }, last, await png(RGB, 2, 2))).values).toEqual(RGB);
    const { values } = await read({ ...PLAIN, channels: 'bgr' }, input(3, 2, 2), await png(RGB, 2, 2));
    expect(values.slice(0, 4)).toEqual([30, 60, 90, 120]);
  });

  test('normalised as ImageNet models are trained: (value / 255 - mean) / std', async () => {
    const description = { ...PLAIN, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    const { values } = await read(description, input(3, 1, 1), await png([255, 0, 124], 1, 1));
    // By hand: (1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (124 / 255 - 0.406) / 0.225.
    expect(values[0]).toBeCloseTo(2.2489083, 6);
    expect(values[1]).toBeCloseTo(-2.0357143, 6);
    expect(values[2]).toBeCloseTo(0.3567756, 6);
  });

  test('in grey as luma: 0.299 R + 0.587 G + 0.114 B', async () => {
    const { values } = await read(
      { ...PLAIN, channels: 'grey' },
      input(1, 1, 4),
      await png([255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77], 4, 1),
    );
    expect(values).toEqual([76, 150, 29, 77]);
  });

  test('in half precision, or as bytes', async () => {
    const half = await read({ ...PLAIN, scale: 1 / 2 }, input(3, 1, 1, 'float16'), await png([1, 2, 4], 1, 1));
    // 0.5, 1 and 2 in binary16.
    expect(half.values).toEqual([0x3800, 0x3c00, 0x4000]);
    expect((await read(PLAIN, input(3, 1, 1, 'uint8'), await png([1, 2, 255], 1, 1))).values).toEqual([1, 2, 255]);
  });

  test('shrunk with a triangle twice as wide as the step, as Pillow and torchvision do it', async () => {
    const [width, height, rgb] = [16, 12, pattern(16, 12)];
    const { values } = await read(PLAIN, input(3, 6, 8), await png(rgb, width, height));
    const expected = shrinkByTwo(rgb, width, height);
    expect(values.length).toBe(expected.length);
    for (const [index, value] of values.entries())
      expect(Math.abs(value - (expected[index] as number))).toBeLessThanOrEqual(1.5);
  });

  test('with the shorter side resized and the centre cut out', async () => {
    // 8 x 4: a shorter side of 4 leaves it as it is, and the centre of 2 x 2 begins at column 3, row 1.
    const rgb = pattern(8, 4);
    const description = { ...PLAIN, resize: { shorterSide: 4 }, crop: { width: 2, height: 2 } };
    const { values } = await read(description, input(3, 2, 2), await png(rgb, 8, 4));
    const at = (column: number, row: number) => rgb[(row * 8 + column) * 3];
    expect(values.slice(0, 4)).toEqual([at(3, 1), at(4, 1), at(3, 2), at(4, 2)]);
  });

  test('turned as its EXIF orientation says, without its transparency, from 16 bits and from CMYK', async () => {
    const turned = await sharp(await png(pattern(4, 2), 4, 2))
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100 })
      .toBuffer();
    expect(
      (await read({ ...PLAIN, resize: { shorterSide: 2 }, crop: { width: 2, height: 2 } }, input(3, 2, 2), turned))
        .shape,
    ).toEqual([1, 3, 2, 2]);
    const whole = await read(PLAIN, input(3, 4, 2), turned);
    const upright = await sharp(turned).autoOrient().raw().toBuffer();
    expect(whole.values.slice(0, 8)).toEqual(Array.from({ length: 8 }, (_, index) => upright[index * 3]));
    const clear = await sharp(await png([9, 8, 7], 1, 1))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    expect((await read(PLAIN, input(3, 1, 1), clear)).values).toEqual([9, 8, 7]);
    const deep = await sharp(await png([200, 100, 50], 1, 1))
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await read(PLAIN, input(3, 1, 1), deep)).values).toEqual([200, 100, 50]);
    const cmyk = await sharp(await png(pattern(8, 8), 8, 8))
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect((await read(PLAIN, input(3, 8, 8), cmyk)).shape).toEqual([1, 3, 8, 8]);
  });
});

/**
 * Planes of an RGB image at half its size: a pixel at (x, y) is the sum over four columns and four rows, each weighing 1/8, 3/8, 3/8 and 1/8, which is 1 - |distance| / 2 of their
 * centres, scaled to a sum of 1. Beyond an edge its own pixels go on.
 */
function shrinkByTwo(rgb: readonly number[], width: number, height: number): number[] {
  const weights = [1 / 8, 3 / 8, 3 / 8, 1 / 8];
  const inside = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  const values: number[] = [];
  for (let channel = 0; channel < 3; channel++)
    for (let row = 0; row < height / 2; row++)
      for (let column = 0; column < width / 2; column++) {
        let sum = 0;
        for (const [down, y] of weights.entries())
          for (const [across, x] of weights.entries()) {
            const pixel = inside(2 * row - 1 + down, height) * width + inside(2 * column - 1 + across, width);
            sum += x * y * (rgb[pixel * 3 + channel] as number);
          }
        values.push(sum);
      }
  return values;
}

describe('an image is refused', () => {
  const reader = createImageReader(PLAIN, input(3, 2, 2), 'x.onnx');
  const shortened = async () => (await png(pattern(64, 64), 64, 64)).subarray(0, 300);
  const jpeg = async () =>
    await sharp(await png(pattern(64, 64), 64, 64))
      .jpeg()
      .toBuffer();
  const create = { width: 9000, height: 9000, channels: 3, background: 'black' } as const;

  test.each([
    ['that is text', 'format', async () => Buffer.from('hello'), 'these 5 bytes are neither a JPEG nor a PNG file'],
    ['that is empty', 'format', async () => new Uint8Array(), 'these 0 bytes are neither'],
    [
      'that is SVG',
      'format',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      'neither a JPEG nor a PNG',
    ],
    [
      'that is GIF',
      'format',
      async () =>
        await sharp(await png([1, 2, 3], 1, 1))
          .gif()
          .toBuffer(),
      'neither a JPEG nor a PNG',
    ],
    ['that is a truncated PNG', 'damaged', shortened, 'the image cannot be decoded: '],
    [
      'that is a truncated JPEG',
      'damaged',
      async () => (await jpeg()).subarray(0, -200),
      'the image cannot be decoded: ',
    ],
    [
      'that is a signature and no more',
      'damaged',
      async () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      'the image cannot be decoded: ',
    ],
    [
      'of 81 megapixels',
      'size',
      async () => await sharp({ create }).png().toBuffer(),
      'the image is 9000 x 9000 pixels, and 40 megapixels are the most',
    ],
    [
      'of 33 MB',
      'size',
      async () => Buffer.concat([await jpeg(), Buffer.alloc(33e6)]),
      'bytes, and 32000000 are the most',
    ],
    [
      'of one pixel by 40 million',
      'size',
      async () => makePng({ width: 1, height: 4e7, pixels: Buffer.alloc(0) }),
      'the image is 1 x 40000000 pixels, and 65535 are the most for a side',
    ],
    [
      'of 883 scans in 20 kB',
      'size',
      async () => makeManyScans({ side: 2_000, scans: 883 }),
      'the image has over 50 scans, which are the most',
    ],
  ])('%s', async (_name, kind, make, sentence) => {
    await expect(reader(await make())).rejects.toMatchObject({
      name: 'ImageError',
      kind,
      message: expect.stringContaining(sentence),
    });
  });

  test('of 50 scans, or with a thumbnail of its own in its metadata, is none of those', async () => {
    const evenly = await read(PLAIN, input(3, 2, 2), makeManyScans({ side: 16, scans: 50 }));
    expect(evenly.values).toEqual(Array(12).fill(128));
    const whole = await jpeg();
    const thumbnails = Array.from({ length: 60 }, () => Buffer.from('ffe10008ffd8ffda0000', 'hex').subarray(0, 10));
    const bytes = Buffer.concat([whole.subarray(0, 2), ...thumbnails, whole.subarray(2)]);
    await expect(reader(bytes)).resolves.toBeDefined();
  });

  test('whose sides differ so much that it would be resized to gigapixels', async () => {
    const thin = await sharp({ create: { width: 16_000, height: 1, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const description = { ...PLAIN, resize: { shorterSide: 256 }, crop: { width: 224, height: 224 } };
    await expect(createImageReader(description, input(3, 224, 224), 'x.onnx')(thin)).rejects.toThrow(
      'the image is 16000 x 1 pixels: its sides differ too much',
    );
  });
});

describe('a description is refused that does not fit the model', () => {
  test.each([
    ['of other channels', PLAIN, input(1, 2, 2), `images do not fit the model's inputs: x float32 [n, 1, 2, 2]`],
    ['of another type', PLAIN, input(3, 2, 2, 'int64'), `images do not fit the model's inputs`],
    ['of two inputs', PLAIN, [...input(3, 2, 2), ...input(3, 2, 2)], `images do not fit the model's inputs`],
    [
      'of no image',
      PLAIN,
      [{ name: 'x', type: 'float32', shape: ['n', 16] }] as TensorSpec[],
      `images do not fit the model's inputs`,
    ],
    [
      'with a crop of another size',
      { ...PLAIN, crop: { width: 3, height: 2 } },
      input(3, 2, 2),
      `the crop and the model's input differ`,
    ],
    [
      'with open sizes and no crop',
      PLAIN,
      [{ name: 'x', type: 'float32', shape: ['n', 3, 'h', 'w'] }] as TensorSpec[],
      'or neither gives a size',
    ],
    [
      'with a resize below the crop',
      { ...PLAIN, resize: { shorterSide: 1 } },
      input(3, 2, 2),
      'no 2 x 2 pixels can be cut out',
    ],
    [
      'of bytes that are scaled',
      { ...PLAIN, scale: 0.5 },
      input(3, 2, 2, 'uint8'),
      'takes bytes, which scale, mean and std would break',
    ],
  ])('%s', (_name, description, inputs, sentence) => {
    expect(() => createImageReader(description, inputs, 'x.onnx')).toThrow(sentence);
  });
});
