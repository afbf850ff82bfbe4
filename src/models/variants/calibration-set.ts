import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { contentHash } from '../../content-hash.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { makeSampleBatches, readImages } from '../samples.ts';
import type { DatasetRef, TensorSpec } from '../types.ts';

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

/** The calibration images of a dataset: real ones, that no test image is among. */
export function datasetCalibration(
  inputs: readonly TensorSpec[],
  dataset: DatasetRef & { readonly calibration: string },
): CalibrationSet {
  const batch = fixedBatch(inputs) ?? BATCH;
  const { tensors, items, bytes } = readImages(inputs, dataset, dataset.calibration, batch);
  return {
    name: basename(dataset.calibration),
    digest: createHash('sha256').update(bytes).digest('hex'),
    items,
    isRandom: false,
    batches: tensors,
  };
}

function fixedBatch(inputs: readonly TensorSpec[]): number | undefined {
  return inputs.map(({ shape: [first] }) => first).find((size) => typeof size === 'number');
}
