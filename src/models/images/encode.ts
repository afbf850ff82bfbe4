import { createRng, deriveSeed } from '../../rng.ts';
import type { ImageSize } from './types.ts';

/** Size and quality of the images that stand for photographs: the usual size of ImageNet's. */
const PHOTOGRAPH: ImageSize = { width: 500, height: 375 };
const QUALITY = 90;
/** An image for an input narrower than this is sent as it is, and not as a photograph that would be shrunk to next to nothing. */
const NARROW_PIXELS = 128;
/** Random colours this far apart are joined by smooth transitions: noise from pixel to pixel would be no JPEG that anyone has. */
const CELLS: ImageSize = { width: 20, height: 15 };

/**
 * PNG file of one sample of bytes.
 * @param channels - 1 for grey, 3 for RGB
 */
export async function encodePng(pixels: Uint8Array, size: ImageSize, channels: 1 | 3): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const raw = sharp(pixels, { raw: { ...size, channels } });
  return await (channels === 1 ? raw.toColourspace('b-w') : raw).png().toBuffer();
}

/**
 * Random images, the same for the same seed: PNG files of the model's own size where its input is narrower than 128 pixels, else JPEG files of 500 x 375 pixels, quality 90.
 */
export async function randomImages(count: number, size: ImageSize, seed: number): Promise<Uint8Array[]> {
  const { default: sharp } = await import('sharp');
  const rng = createRng(deriveSeed(seed, 'images'));
  const images: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const isNarrow = size.width < NARROW_PIXELS;
    const cells = isNarrow ? size : CELLS;
    const pixels = new Uint8Array(cells.width * cells.height * 3).map(() => rng.integer(0, 255));
    const drawn = sharp(pixels, { raw: { ...cells, channels: 3 } });
    images.push(
      isNarrow
        ? await drawn.png().toBuffer()
        : await drawn
            .resize({ ...PHOTOGRAPH, fit: 'fill', kernel: 'cubic' })
            .jpeg({ quality: QUALITY })
            .toBuffer(),
    );
  }
  return images;
}
