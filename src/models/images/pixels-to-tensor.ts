import { toFloat16Bits } from '../../float16.ts';
import type { DataType, NamedTensor } from '../types.ts';
import type { ImageDescription, ImageSize } from './types.ts';

/** Element types an image can be made into, and what makes room for the values of one. */
const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  uint8: Uint8Array,
} satisfies Partial<Record<DataType, unknown>>;

export type ImageDataType = keyof typeof ARRAYS;

export function isImageDataType(type: DataType): type is ImageDataType {
  return Object.hasOwn(ARRAYS, type);
}

/** Positions of red, green and blue in a pixel, in the order of the model's channels. */
const COLOURS: Readonly<Record<'rgb' | 'bgr', readonly number[]>> = { rgb: [0, 1, 2], bgr: [2, 1, 0] };

/** Luma weights in 65536ths. Source: ITU-R BT.601-7, as Pillow rounds them. */
const [RED, GREEN, BLUE] = [19_595, 38_470, 7_471];

export interface TensorForm extends Pick<ImageDescription, 'channels' | 'layout' | 'scale' | 'mean' | 'std'> {
  readonly name: string;
  readonly type: ImageDataType;
  readonly size: ImageSize;
}

/**
 * What makes the tensor [1, ...] of RGB bytes: each value v of channel c becomes (v * scale - mean[c]) / std[c].
 *
 * The 256 values a byte can become are computed once for each channel, in double precision, and rounded to the model's type.
 */
export function pixelsToTensor(form: TensorForm): (rgb: Uint8Array) => NamedTensor {
  const { name, type, size, layout, channels } = form;
  const count = channels === 'grey' ? 1 : 3;
  const tables = Array.from({ length: count }, (_, channel) => tableOf(form, channel));
  const pixels = size.width * size.height;
  const dims = layout === 'nchw' ? [count, size.height, size.width] : [size.height, size.width, count];
  const [step, stride] = layout === 'nchw' ? [1, pixels] : [count, 1];
  return (rgb) => {
    const data = new ARRAYS[type](pixels * count);
    for (const [channel, table] of tables.entries()) {
      const colour = channels === 'grey' ? undefined : COLOURS[channels][channel];
      let to = channel * stride;
      for (let from = 0; from < 3 * pixels; from += 3) {
        const value = colour === undefined ? lumaAt(rgb, from) : (rgb[from + colour] as number);
        data[to] = table[value] as number;
        to += step;
      }
    }
    return { name, type, shape: [1, ...dims], data };
  };
}

function lumaAt(rgb: Uint8Array, at: number): number {
  const [red, green, blue] = [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
  return (RED * red + GREEN * green + BLUE * blue + 0x8000) >> 16;
}

function tableOf({ type, scale, mean, std }: TensorForm, channel: number) {
  const offset = mean[mean.length === 1 ? 0 : channel] ?? 0;
  const divisor = std[std.length === 1 ? 0 : channel] ?? 1;
  return new ARRAYS[type](256).map((_, value) => {
    const result = (value * scale - offset) / divisor;
    return type === 'float16' ? toFloat16Bits(result) : result;
  });
}
