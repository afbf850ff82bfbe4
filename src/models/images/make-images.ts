import { ModelError } from '../../errors.ts';
import { createRng, deriveSeed } from '../../rng.ts';
import { readArray } from '../array-file.ts';
import type { DatasetRef, TensorSpec } from '../types.ts';
import { encodePng, randomImages } from './encode.ts';
import { imageSizeOf } from './image-reader.ts';
import type { ImageDescription, ImageSize } from './types.ts';

/** A JPEG or PNG file, and the class it is of where that is known. */
export interface LabelledImage {
  readonly bytes: Uint8Array;
  readonly label: number | undefined;
}

export interface ImageOptions {
  readonly image: ImageDescription;
  /** Labelled samples to send; without them the images are random. */
  readonly dataset: DatasetRef | undefined;
  readonly count: number;
  readonly seed: number;
}

/**
 * Images for `count` requests, in the order `makeSampleBatches` has for the same seed: the labelled samples as PNG files, or random ones.
 * @throws ModelError where the samples are no images, or the model takes none
 */
export async function makeImages(
  inputs: readonly TensorSpec[],
  { image, dataset, count, seed }: ImageOptions,
): Promise<readonly LabelledImage[]> {
  const size = imageSizeOf(image, inputs, inputs[0]?.name ?? 'the model');
  if (dataset === undefined) {
    return (await randomImages(count, size, seed)).map((bytes) => ({ bytes, label: undefined }));
  }
  const { pixels, labels, channels, own } = readPixels(dataset);
  const order = createRng(deriveSeed(seed, 'samples')).shuffle([...labels.keys()]);
  const length = own.width * own.height * channels;
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const sample = order[index % order.length] as number;
      const bytes = await encodePng(pixels.subarray(sample * length, (sample + 1) * length), own, channels);
      return { bytes, label: labels[sample] };
    }),
  );
}

interface Pixels {
  readonly pixels: Uint8Array;
  readonly labels: readonly number[];
  readonly channels: 1 | 3;
  readonly own: ImageSize;
}

/** Samples [count, height, width] in grey, or [count, height, width, 3] in colours. */
function readPixels({ name, samples, labels }: DatasetRef): Pixels {
  const { shape, data } = readArray(samples);
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  const classes = Array.from(readArray(labels).data);
  const isImages = shape.length === 3 || (shape.length === 4 && (channels === 1 || channels === 3));
  if (!(data instanceof Uint8Array) || !isImages || count === 0 || classes.length !== count) {
    throw new ModelError({
      where: samples,
      what: `samples of "${name}" are [${shape.join(', ')}] with ${classes.length} labels, and cannot be sent as images`,
      hint: 'Samples of bytes [count, height, width] or [count, height, width, 3] can, each with one label.',
    });
  }
  return { pixels: data, labels: classes, channels: channels === 3 ? 3 : 1, own: { width, height } };
}
