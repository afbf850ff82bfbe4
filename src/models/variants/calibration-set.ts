import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { contentHash } from '../../content-hash.ts';
import { ModelError } from '../../errors.ts';
import { readIdx } from '../idx.ts';
import { readNpy } from '../npy.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { makeSampleBatches } from '../samples.ts';
import type { TensorSpec } from '../types.ts';

/** Items of made-up inputs: enough to touch every value, and quick on large models. */
const RANDOM_ITEMS = 8;
const RANDOM_SEED = 1;
const BATCH = 50;

/** Seeded random inputs. Ranges found on them make a model that costs what the real one costs; its answers are another matter. */
export function randomCalibration(inputs: readonly TensorSpec[]): CalibrationSet {
  const batch = fixedBatch(inputs) ?? 1;
  const count = Math.ceil(RANDOM_ITEMS / batch);
  const batches = makeSampleBatches(inputs, { batch, count, seed: RANDOM_SEED }).map(({ tensors }) => tensors);
  return {
    name: 'seeded random numbers',
    digest: contentHash({ inputs, batch, count, seed: RANDOM_SEED }),
    items: batch * count,
    isRandom: true,
    batches,
  };
}

/** Samples in a file, IDX or NPY [count, ...]; the tensor fed is value * scale + offset. */
export interface CalibrationFile {
  readonly file: string;
  readonly scale: number;
  readonly offset: number;
}

/**
 * Real samples from a file, in their order, in whole batches; what is left over is not used.
 *
 * @throws ModelError if the file cannot be read, or its samples do not fit the model's input
 */
export function fileCalibration(
  inputs: readonly TensorSpec[],
  { file, scale, offset }: CalibrationFile,
): CalibrationSet {
  const { shape, data } = /\.npy$/i.test(file) ? readNpy(file) : readIdx(file);
  const [available = 0, ...sample] = shape;
  const batch = fixedBatch(inputs) ?? Math.min(BATCH, available);
  const [input] = inputs;
  const size = sample.reduce((product, length) => product * length, 1);
  const rest = input?.shape.slice(1) ?? [];
  const isFitting =
    input?.type === 'float32' &&
    inputs.length === 1 &&
    size === rest.reduce<number>((product, length) => product * Number(length), 1);
  const count = batch === 0 ? 0 : Math.floor(available / batch);
  if (!isFitting || count === 0) {
    throw new ModelError({
      where: file,
      what: `${available} samples of [${sample.join(', ')}] do not fit the model's inputs: ${inputs.map(({ name, type, shape: own }) => `${name} ${type} [${own.join(', ')}]`).join(', ')}`,
      hint: 'Calibration needs a model with one float32 input, and at least one batch of samples of as many elements.',
    });
  }
  const values = Float32Array.from(data, (value) => value * scale + offset);
  const batches = Array.from({ length: count }, (_, index) => [
    {
      name: input.name,
      type: input.type,
      shape: [batch, ...rest.map(Number)],
      data: values.subarray(index * batch * size, (index + 1) * batch * size),
    },
  ]);
  const bytes = new Uint8Array(values.buffer, 0, count * batch * size * 4);
  return {
    name: basename(file),
    digest: createHash('sha256').update(bytes).digest('hex'),
    items: count * batch,
    isRandom: false,
    batches,
  };
}

function fixedBatch(inputs: readonly TensorSpec[]): number | undefined {
  return inputs.map(({ shape: [first] }) => first).find((size) => typeof size === 'number');
}
