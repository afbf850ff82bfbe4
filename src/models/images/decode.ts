import type { Sharp } from 'sharp';
import { messageOf } from '../../errors.ts';
import { checkImageFile } from './check-file.ts';
import { ImageError } from './image-error.ts';
import type { ImageSize, Kernel } from './types.ts';

/** What an image is brought to: resized, then its centre cut out. */
export interface Geometry {
  readonly resize: ImageSize | { readonly shorterSide: number };
  readonly crop: ImageSize;
  readonly kernel: Kernel;
}

/** Larger images are refused before they are decoded: a few kilobytes may say that they are gigapixels. */
const MOST_PIXELS = 40e6;
const LONGEST_DECODE_S = 10;

/**
 * Decodes a JPEG or PNG file and brings it to a size: RGB bytes, row after row.
 *
 * EXIF orientation is applied, transparency dropped, other colour spaces and depths become 8-bit sRGB. Works on a thread of Node's pool, one for each image.
 * @throws ImageError where it is no such file, is damaged or truncated, or is larger than 40 megapixels or `checkImageFile` lets through
 */
export async function decodeImage(bytes: Uint8Array, { resize, crop, kernel }: Geometry): Promise<Uint8Array> {
  checkImageFile(bytes);
  const open = await loadSharp();
  try {
    const { width, height } = 'width' in resize ? resize : await sizeFor(open, bytes, resize.shorterSide);
    const isWhole = crop.width === width && crop.height === height;
    // The fast way would shrink a JPEG as it is decoded down to the size wanted, in blocks, and not with the kernel.
    const resized = open(bytes).resize({ width, height, fit: 'fill', kernel, fastShrinkOnLoad: false });
    const cut = isWhole ? resized : resized.extract(centreOf({ width, height }, crop));
    const rgb = await cut.timeout({ seconds: LONGEST_DECODE_S }).removeAlpha().toColourspace('srgb').raw().toBuffer();
    if (rgb.byteLength === 3 * crop.width * crop.height) return rgb;
    throw new ImageError(
      'damaged',
      `the image came out as ${rgb.byteLength} bytes for ${crop.width} x ${crop.height} pixels`,
    );
  } catch (error) {
    throw error instanceof ImageError ? error : await explain(open, bytes, error);
  }
}

/** The shorter side as asked, the other rounded down. Source: torchvision, `Resize` with one number. */
async function sizeFor(open: OpenImage, bytes: Uint8Array, shorterSide: number): Promise<ImageSize> {
  const { width, height } = await readSize(open, bytes);
  const factor = shorterSide / Math.min(width, height);
  const size = {
    width: width <= height ? shorterSide : Math.floor(width * factor),
    height: height <= width ? shorterSide : Math.floor(height * factor),
  };
  if (size.width * size.height <= MOST_PIXELS) return size;
  throw new ImageError('size', `the image is ${width} x ${height} pixels: its sides differ too much`);
}

async function readSize(open: OpenImage, bytes: Uint8Array): Promise<ImageSize> {
  const { width, height, autoOrient } = await open(bytes, false).metadata();
  if (width * height > MOST_PIXELS) {
    const limit = `${MOST_PIXELS / 1e6} megapixels are the most`;
    throw new ImageError('size', `the image is ${width} x ${height} pixels, and ${limit}`);
  }
  return autoOrient;
}

/** Source: torchvision, `CenterCrop`. */
function centreOf(from: ImageSize, { width, height }: ImageSize) {
  const left = Math.round((from.width - width) / 2);
  const top = Math.round((from.height - height) / 2);
  return { left, top, width, height };
}

/** Why decoding failed: its size, which the header tells, or else what the decoder says, in one line. */
async function explain(open: OpenImage, bytes: Uint8Array, error: unknown): Promise<ImageError> {
  const tooLarge = await readSize(open, bytes).then(
    () => undefined,
    (reason: unknown) => (reason instanceof ImageError ? reason : undefined),
  );
  if (tooLarge !== undefined) return tooLarge;
  const [line = ''] = messageOf(error).split('\n');
  return new ImageError('damaged', `the image cannot be decoded: ${line}`, error);
}

type OpenImage = (bytes: Uint8Array, isLimited?: boolean) => Sharp;

let opening: Promise<OpenImage> | undefined;

/** Loads the native library with the first image: what is served as tensors does without. */
function loadSharp(): Promise<OpenImage> {
  opening ??= import('sharp').then(
    ({ default: sharp }) => {
      // No request may live off another's decoded pixels, nor take more CPUs than the one it is decoded on.
      sharp.cache(false);
      sharp.concurrency(1);
      return (bytes, isLimited = true) =>
        sharp(bytes, { limitInputPixels: isLimited && MOST_PIXELS, autoOrient: true, failOn: 'warning' });
    },
    (error: unknown) => {
      const platform = `${process.platform}-${process.arch}`;
      throw new ImageError('unavailable', `sharp, which decodes images, is not installed here for ${platform}`, error);
    },
  );
  return opening;
}
