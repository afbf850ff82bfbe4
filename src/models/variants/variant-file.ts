import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { contentHash } from '../../content-hash.ts';
import { digestOf, writeWhole } from '../cached-file.ts';
import { type OnnxModel, writeOnnx } from '../onnx-file.ts';
import { defaultDimensions } from '../open-dimensions.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { readModel } from '../rewrite/read-model.ts';
import { inputSpecs } from '../tensor-specs.ts';
import type { DatasetRef, ResolvedModel, TensorSpec } from '../types.ts';
import { type CalibrationFile, fileCalibration, randomCalibration } from './calibration-set.ts';
import { makeVariant } from './make-variant.ts';
import type { VariantStep } from './parse-variant.ts';

/** Changes whenever the same steps would make other bytes, so that no file of an older recipe is taken for one of this. */
const RECIPE = 7;

export interface VariantRequest {
  /** Absolute path of the base model. */
  readonly file: string;
  readonly dataset: DatasetRef | undefined;
  readonly variant: string;
  readonly steps: readonly VariantStep[];
  readonly cacheDir: string;
}

/**
 * The file of a variant, made once and kept.
 *
 * Its name holds a hash of all it was made from: base digest, steps, calibration set. Its own digest stands in a file beside it; where the two disagree, it is made anew.
 * @returns absolute path
 * @throws ModelError if the variant cannot be made, or the cache cannot be written
 */
export async function variantFile({ file, dataset, variant, steps, cacheDir }: VariantRequest): Promise<string> {
  const { model, digest } = await readModel(file);
  const set = calibrationFor(model, inputSpecs(model.graph, file), dataset);
  const key = contentHash({ recipe: RECIPE, base: digest, steps, calibration: set.digest }).slice(0, 12);
  const name = basename(file, '.onnx').replace(/-fp32-[0-9a-f]{12}$/, '');
  const target = resolve(cacheDir, `${name}-${variant}-${key}.onnx`);
  if (await hasRecordedDigest(target)) return target;
  await makeVariant(model, digest, steps, set, file);
  const bytes = writeOnnx(model);
  await writeWhole(target, bytes);
  const recorded = `${createHash('sha256').update(bytes).digest('hex')}  ${basename(target)}\n`;
  await writeWhole(recordOf(target), new TextEncoder().encode(recorded));
  return target;
}

/**
 * The bytes of a variant, not kept.
 *
 * @param calibration - samples to calibrate with instead of the model's own
 * @throws ModelError if the variant cannot be made
 */
export async function makeVariantOf(
  base: Pick<ResolvedModel, 'file' | 'dataset'>,
  steps: readonly VariantStep[],
  calibration: CalibrationFile | undefined,
): Promise<Uint8Array> {
  const { model, digest } = await readModel(base.file);
  const inputs = inputSpecs(model.graph, base.file);
  const set = calibrationOf(model, inputs, base.dataset, calibration);
  await makeVariant(model, digest, steps, set, base.file);
  return writeOnnx(model);
}

/** The samples asked for, else the model's own. @throws ModelError if they cannot be read or do not fit */
export function calibrationOf(
  model: OnnxModel,
  inputs: readonly TensorSpec[],
  dataset: DatasetRef | undefined,
  asked: CalibrationFile | undefined,
): CalibrationSet {
  return asked === undefined ? calibrationFor(model, inputs, dataset) : fileCalibration(inputs, asked);
}

/** The model's own calibration samples, or random numbers where it has none. */
function calibrationFor(
  model: OnnxModel,
  inputs: readonly TensorSpec[],
  dataset: DatasetRef | undefined,
): CalibrationSet {
  const { calibration, scale = 1, offset = 0 } = dataset ?? {};
  return calibration === undefined
    ? randomCalibration(inputs, defaultDimensions(model, inputs))
    : fileCalibration(inputs, { file: calibration, scale, offset });
}

/** In the form that `sha256sum --check` reads. */
function recordOf(file: string): string {
  return `${file}.sha256`;
}

async function hasRecordedDigest(file: string): Promise<boolean> {
  const record = await readFile(recordOf(file), 'utf8').catch(() => undefined);
  return record !== undefined && record.split(' ')[0] === (await digestOf(file));
}
