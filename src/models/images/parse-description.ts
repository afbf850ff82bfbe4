import { readFileSync } from 'node:fs';
import { ModelError, messageOf } from '../../errors.ts';
import type { ImageDescription, ImageSize, Kernel } from './types.ts';

/** As it is written, in a model's sidecar and in the metadata that a server gives. */
export interface WrittenDescription {
  readonly channels: 'rgb' | 'bgr' | 'grey';
  readonly layout: 'nchw' | 'nhwc';
  readonly crop?: ImageSize;
  readonly resize?: ImageSize | { readonly shorter_side: number };
  readonly kernel: Kernel;
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly labels?: readonly string[];
  readonly caveat?: string;
}

/** Path of the file beside a model that says how images become its input: `mine.onnx` has `mine.image.json`. */
export function sidecarOf(modelFile: string): string {
  return `${modelFile.replace(/\.onnx$/i, '')}.image.json`;
}

/**
 * Reads the description beside a model.
 * @returns undefined where there is none
 * @throws ModelError with everything that is wrong with it
 */
export function readSidecar(modelFile: string): ImageDescription | undefined {
  const file = sidecarOf(modelFile);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(file, messageOf(error));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, messageOf(error));
  }
  return parseDescription(value, file);
}

const HINT = 'See "Images" in docs/serving.md, e.g. { "channels": "rgb", "mean": [0.5], "std": [0.5] }.';

/** @param where - the file it stands in. @throws ModelError with everything that is wrong */
export function parseDescription(value: unknown, where: string): ImageDescription {
  if (!isObject(value)) throw unreadable(where, 'it holds no object');
  const wrong = Object.entries(value).flatMap(([key, member]) => {
    const rule = Object.hasOwn(RULES, key) ? RULES[key as keyof WrittenDescription] : undefined;
    if (rule === undefined) return [`"${key}" is not known; known are ${Object.keys(RULES).join(', ')}`];
    return rule.holds(member) ? [] : [`"${key}" is ${JSON.stringify(member)?.slice(0, 80)}, not ${rule.is}`];
  });
  const missing = Object.hasOwn(value, 'channels') ? [] : [`"channels" is missing: ${RULES.channels.is}`];
  const count = value.channels === 'grey' ? 1 : 3;
  const uneven = (['mean', 'std'] as const).flatMap((key) => {
    const list = value[key];
    return Array.isArray(list) && ![1, count].includes(list.length)
      ? [`"${key}" has ${list.length} numbers for ${count} channel${count === 1 ? '' : 's'}`]
      : [];
  });
  const problems = [...missing, ...wrong, ...uneven];
  if (problems.length > 0) throw new ModelError(problems.map((what) => ({ where, what, hint: HINT })));
  return complete(value as unknown as WrittenDescription);
}

/** A description as it is written. */
export function writeDescription({ resize, ...others }: ImageDescription): WrittenDescription {
  if (resize === undefined) return others;
  return { ...others, resize: 'width' in resize ? resize : { shorter_side: resize.shorterSide } };
}

function complete(written: Partial<WrittenDescription> & Pick<WrittenDescription, 'channels'>): ImageDescription {
  const { resize, mean, std, ...others } = written;
  const listOf = (value: unknown, fallback: number) =>
    value === undefined ? [fallback] : Array.isArray(value) ? value : [value as number];
  return {
    layout: 'nchw',
    kernel: 'linear',
    scale: 1 / 255,
    ...others,
    mean: listOf(mean, 0),
    std: listOf(std, 1),
    ...(resize !== undefined && { resize: 'width' in resize ? resize : { shorterSide: resize.shorter_side } }),
  };
}

interface Rule {
  readonly is: string;
  readonly holds: (value: unknown) => boolean;
}

const RULES: Readonly<Record<keyof WrittenDescription, Rule>> = {
  channels: oneOf(['rgb', 'bgr', 'grey']),
  layout: oneOf(['nchw', 'nhwc']),
  crop: { is: '{ "width": pixels, "height": pixels }', holds: isSize },
  resize: {
    is: '{ "shorter_side": pixels } or { "width": pixels, "height": pixels }',
    holds: (value) =>
      isSize(value) || (isObject(value) && Object.keys(value).length === 1 && isPixels(value.shorter_side)),
  },
  kernel: oneOf(['nearest', 'linear', 'cubic', 'lanczos3']),
  scale: { is: 'a number other than 0', holds: (value) => Number.isFinite(value) && value !== 0 },
  mean: { is: 'a number, or one for each channel', holds: (value) => areNumbers(value) },
  std: {
    is: 'a number above 0, or one for each channel',
    holds: (value) => areNumbers(value) && [value].flat().every((one) => (one as number) > 0),
  },
  labels: {
    is: 'a list of different names, one for each class',
    holds: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((label) => typeof label === 'string' && label !== '') &&
      new Set(value).size === value.length,
  },
  caveat: { is: 'a sentence', holds: (value) => typeof value === 'string' && value !== '' },
};

function oneOf(values: readonly string[]): Rule {
  return { is: `one of ${values.join(', ')}`, holds: (value) => values.includes(value as string) };
}

function isSize(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 2 && isPixels(value.width) && isPixels(value.height);
}

function isPixels(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 4096;
}

function areNumbers(value: unknown): boolean {
  const list = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((one) => Number.isFinite(one));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(where: string, why: string): ModelError {
  return new ModelError({ where, what: `the description of the model's images cannot be read: ${why}`, hint: HINT });
}
