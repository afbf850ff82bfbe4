import { basename } from 'node:path';
import { ModelError } from '../../errors.ts';
import { isModelPath } from '../catalogue.ts';
import type { NamedTensor, ResolvedModel, TensorSpec } from '../types.ts';
import { decodeImage, type Geometry } from './decode.ts';
import { sidecarOf } from './parse-description.ts';
import { type ImageDataType, isImageDataType, pixelsToTensor } from './pixels-to-tensor.ts';
import type { ImageDescription, ImageSize } from './types.ts';

/** Makes the input of a model from the bytes of one JPEG or PNG file. @throws ImageError where it cannot be decoded */
export type ImageReader = (bytes: Uint8Array) => Promise<NamedTensor>;

/**
 * What makes images into a model's input as the description says.
 *
 * @param where - the model's file, for messages
 * @throws ModelError with everything in which description and model do not fit together
 */
export function createImageReader(
  description: ImageDescription,
  inputs: readonly TensorSpec[],
  where: string,
): ImageReader {
  const { name, type, size, geometry } = fitToModel(description, inputs, where);
  const toTensor = pixelsToTensor({ ...description, name, type, size });
  return async (bytes) => toTensor(await decodeImage(bytes, geometry));
}

/** Size in pixels of what enters the model. @throws ModelError where description and model do not fit together */
export function imageSizeOf(description: ImageDescription, inputs: readonly TensorSpec[], where: string): ImageSize {
  return fitToModel(description, inputs, where).size;
}

/**
 * How images become the input of a model.
 * @throws ModelError where nothing says so, or what says so does not fit the model
 */
export function imageReaderOf({ name, file, inputs, image }: ResolvedModel): ImageReader {
  if (image !== undefined) return createImageReader(image, inputs, file);
  throw new ModelError({
    where: file,
    what: `nothing says how images become the input of "${name}"`,
    hint: isModelPath(name)
      ? `Write it into ${basename(sidecarOf(file))} beside the model; see "Images" in docs/serving.md.`
      : 'It is sent tensors only: leave the protocol "image" and folders of images to models of images.',
  });
}

interface Fitted {
  readonly name: string;
  readonly type: ImageDataType;
  readonly size: ImageSize;
  readonly geometry: Geometry;
}

function fitToModel(description: ImageDescription, inputs: readonly TensorSpec[], where: string): Fitted {
  const { layout, channels, kernel, scale, mean, std } = description;
  const count = channels === 'grey' ? 1 : 3;
  const [input] = inputs;
  const [, ...dims] = input?.shape ?? [];
  const expected = layout === 'nchw' ? `[batch, ${count}, height, width]` : `[batch, height, width, ${count}]`;
  const [modelChannels, height, width] = layout === 'nchw' ? dims : [dims[2], dims[0], dims[1]];
  const isChannels = typeof modelChannels !== 'number' || modelChannels === count;
  const batch = input?.shape[0];
  if (
    input === undefined ||
    inputs.length > 1 ||
    dims.length !== 3 ||
    !isChannels ||
    !isImageDataType(input.type) ||
    (typeof batch === 'number' && batch !== 1)
  ) {
    const listed = inputs.map((one) => `${one.name} ${one.type} [${one.shape.join(', ')}]`).join(', ');
    throw misfit(where, `images do not fit the model's inputs: ${listed}`, `One ${channels} image is ${expected}.`);
  }
  const size = { width: sizeOf(width, description.crop?.width), height: sizeOf(height, description.crop?.height) };
  const isFitting = (own: number | string | undefined, crop: number | undefined) =>
    crop === undefined ? typeof own === 'number' : typeof own !== 'number' || own === crop;
  if (!isFitting(width, description.crop?.width) || !isFitting(height, description.crop?.height)) {
    const shape = `"${input.name}" is [${input.shape.join(', ')}]`;
    const hint = `Give as "crop" the width and height that the model takes; ${expected} is expected.`;
    throw misfit(where, `the crop and the model's input differ, or neither gives a size: ${shape}`, hint);
  }
  if (input.type === 'uint8' && !isPlain(scale, mean, std)) {
    const hint = 'Give { "scale": 1, "mean": 0, "std": 1 }.';
    throw misfit(where, `the input "${input.name}" takes bytes, which scale, mean and std would break`, hint);
  }
  const resize = description.resize ?? size;
  const isTooSmall =
    'width' in resize
      ? resize.width < size.width || resize.height < size.height
      : resize.shorterSide < Math.max(size.width, size.height);
  if (isTooSmall) {
    const hint = 'Resize to at least the size that is cut out.';
    throw misfit(where, `no ${size.width} x ${size.height} pixels can be cut out of what "resize" gives`, hint);
  }
  return { name: input.name, type: input.type, size, geometry: { resize, crop: size, kernel } };
}

function sizeOf(own: number | string | undefined, crop: number | undefined): number {
  return typeof own === 'number' ? own : (crop ?? 0);
}

function isPlain(scale: number, mean: readonly number[], std: readonly number[]): boolean {
  return scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
}

function misfit(where: string, what: string, hint: string): ModelError {
  return new ModelError({ where, what, hint });
}
