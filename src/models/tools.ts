import { readFile, stat } from 'node:fs/promises';
import type { InspectOptions, ModelReport } from './inspect/inspect-model.ts';
import type { Criterion } from './prune/plan.ts';
import { type ResolveOptions, resolveModel } from './resolve.ts';
import type { ResolvedModel } from './types.ts';
import type { CalibrationFile } from './variants/calibration-set.ts';

/**
 * All that can be told of a model or variant without measuring it.
 *
 * @throws ModelError as `resolveModel` does
 */
export async function inspectModel(
  name: string,
  variant: string,
  options: ResolveOptions & InspectOptions,
): Promise<ModelReport> {
  const { inspectResolved } = await import('./inspect/inspect-model.ts');
  return inspectResolved(await resolveModel(name, variant, options), options);
}

export interface WriteVariantOptions extends ResolveOptions {
  /** Absolute path of the file to write. */
  readonly out: string;
  /** Samples to calibrate with, IDX or NPY; undefined for the model's own, or random numbers where it has none. */
  readonly calibration?: { readonly file: string; readonly scale: number; readonly offset: number } | undefined;
}

/**
 * Makes a variant and writes it where the user wants it.
 *
 * @returns the model of the file written, named by its path
 * @throws ModelError if the variant cannot be made, or the file cannot be written
 */
export async function writeVariant(
  name: string,
  variant: string,
  options: WriteVariantOptions,
): Promise<ResolvedModel> {
  const { parseVariant } = await import('./variants/parse-variant.ts');
  const { makeVariantOf } = await import('./variants/variant-file.ts');
  const { writeWhole } = await import('./cached-file.ts');
  const base = await resolveModel(name, 'fp32', options);
  await writeWhole(options.out, await makeVariantOf(base, parseVariant(variant), options.calibration));
  return resolveModel(options.out, 'fp32', options);
}

/**
 * The smallest whole percentage of filters to prune that leaves at most a share (0 to 1) of a model's multiply-adds.
 *
 * @throws ModelError as `resolveModel` does, and where the share cannot be reached
 */
export async function prunePercentFor(
  name: string,
  share: number,
  options: ResolveOptions & { readonly by: Criterion; readonly calibration: CalibrationFile | undefined },
): Promise<number> {
  const { readModel } = await import('./rewrite/read-model.ts');
  const { percentForShare } = await import('./prune/target.ts');
  const { normalize } = await import('./rewrite/normalize.ts');
  const { planner } = await import('./prune/plan.ts');
  const { calibrationOf } = await import('./variants/variant-file.ts');
  const { file, inputs, dataset } = await resolveModel(name, 'fp32', options);
  const { model } = await readModel(file);
  normalize(model, file);
  const { plan } = await planner(model, calibrationOf(model, inputs, dataset, options.calibration), options.by, file);
  return percentForShare(model, plan, share, file);
}

/**
 * What one item takes, in multiply-adds; values that nodes write count as some more. Undefined where the file alone does not tell, or is larger than `limitBytes`, in which case it is not read.
 *
 * @param file - path of an ONNX file
 * @throws ModelError if it is not an ONNX model
 */
export async function itemWork(file: string, limitBytes: number): Promise<number | undefined> {
  if ((await stat(file)).size > limitBytes) return undefined;
  const { countWork } = await import('./cost.ts');
  const { readOnnx } = await import('./onnx-file.ts');
  return countWork(readOnnx(await readFile(file), file), file);
}
