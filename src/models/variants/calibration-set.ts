import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { contentHash } from '../../content-hash.ts';
import { ModelError } from '../../errors.ts';
import { readArray } from '../array-file.ts';
import { sampleFeed } from '../feed.ts';
import type { OpenDimensions } from '../open-dimensions.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { makeSampleBatches } from '../samples.ts';
import type { TensorData, TensorSpec } from '../types.ts';

/** Items of made-up inputs: enough to touch every value, and quick on large models. */
const RANDOM_ITEMS = 8;
const RANDOM_SEED = 1;
const BATCH = 50;

/** Seeded random inputs. Ranges found on them make a model that costs what the real one costs; its answers are another matter. */
export function randomCalibration(inputs: readonly TensorSpec[], dims: OpenDimensions): CalibrationSet {
  const batch = fixedBatch(inputs) ?? 1;
  const count = Math.ceil(RANDOM_ITEMS / batch);
  const batches = makeSampleBatches(inputs, { batch, count, seed: RANDOM_SEED, dims }).map(({ tensors }) => tensors);
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
  const samples = readArray(file);
  const feed = sampleFeed(inputs, { name: basename(file), samples, scale, offset }, file);
  const [available = 0] = samples.shape;
  const batch = fixedBatch(inputs) ?? Math.min(BATCH, available);
  const count = batch === 0 ? 0 : Math.floor(available / batch);
  if (count === 0) {
    throw new ModelError({
      where: file,
      what: `${available} samples do not fill one batch of ${Math.max(1, batch)}`,
      hint: 'Calibration needs at least one batch of samples.',
    });
  }
  const batches = Array.from({ length: count }, (_, index) => [
    feed(Array.from({ length: batch }, (_, item) => index * batch + item)),
  ]);
  const hash = createHash('sha256');
  for (const [{ data } = { data: new Uint8Array() }] of batches) hash.update(bytesOf(data));
  return { name: basename(file), digest: hash.digest('hex'), items: count * batch, isRandom: false, batches };
}

function bytesOf(data: TensorData): Uint8Array {
  return Array.isArray(data) ? new Uint8Array() : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function fixedBatch(inputs: readonly TensorSpec[]): number | undefined {
  return inputs.map(({ shape: [first] }) => first).find((size) => typeof size === 'number');
}
