import { unreachable } from '../../unreachable.ts';
import { convertToFloat16 } from '../convert/float16.ts';
import { countCost } from '../cost.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { removeFilters } from '../prune/filters.ts';
import { fitOutputs } from '../prune/fit-outputs.ts';
import { type Criterion, planner } from '../prune/plan.ts';
import { refit } from '../prune/refit.ts';
import { zeroSmallest } from '../prune/sparse.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { quantizeDynamic } from '../quantize/dynamic.ts';
import { quantizeStatic } from '../quantize/static.ts';
import { normalize } from '../rewrite/normalize.ts';
import type { LineageStep } from '../types.ts';
import { addLineage } from './lineage.ts';
import type { VariantStep } from './parse-variant.ts';

/**
 * Takes a model through the steps of a variant, and writes them into its lineage. Changes the model in place.
 *
 * The same model, steps and calibration set give the same model; ranges and refitted weights come from onnxruntime's float arithmetic on this processor, so another kind
 * of processor may differ in last bits.
 * @param digest - of the file that the model was read from
 * @param where - the file's name, for messages
 * @throws ModelError if a step cannot be done on this model
 */
export async function makeVariant(
  model: OnnxModel,
  digest: string,
  steps: readonly VariantStep[],
  set: CalibrationSet,
  where: string,
): Promise<void> {
  const done: LineageStep[] = [];
  const folded = normalize(model, where);
  if (folded > 0) done.push({ step: 'fold-batch-norm', folded });
  for (const step of steps) done.push(await apply(model, step, set, where));
  addLineage(model, digest, done);
}

async function apply(model: OnnxModel, step: VariantStep, set: CalibrationSet, where: string): Promise<LineageStep> {
  switch (step.kind) {
    case 'trained':
      throw new Error(`the trained variant "${step.name}" is a file of its own, from which the steps after it start`);
    case 'int8-static':
      return {
        step: 'int8-static',
        method: step.method,
        stored: await quantizeStatic(model, where, { set, method: step.method }),
        ...calibrationOf(set),
      };
    case 'int8-dynamic':
      return { step: 'int8-dynamic', ...quantizeDynamic(model, where) };
    case 'fp16':
      convertToFloat16(model, where);
      return { step: 'fp16' };
    case 'sparse':
      return { step: 'sparse', percent: step.percent, zeroed: zeroSmallest(model, step.percent / 100, where) };
    case 'pruned':
      return pruneFilters(model, step, set, where);
    default:
      return unreachable(step);
  }
}

/** Refitted on real samples only: weights drawn from a seed, or random inputs, have nothing to be fitted to. */
async function pruneFilters(
  model: OnnxModel,
  { percent, by: criterion }: { readonly percent: number; readonly by: Criterion },
  set: CalibrationSet,
  where: string,
): Promise<LineageStep> {
  const parent = structuredClone(model);
  const { by, plan: planFor } = await planner(model, set, criterion, where);
  const plan = planFor(percent / 100);
  removeFilters(model, plan, where);
  const removed = { step: 'pruned', percent, by, removed_channels: plan.removed.size };
  if (set.isRandom) return { ...removed, refitted: 0 };
  const refitted = await refit(parent, model, plan, set, where);
  const { macs } = countCost(model, where);
  const output_fits = await fitOutputs(parent, model, plan, set, macs, where);
  return { ...removed, ...refitted, output_fits, ...calibrationOf(set) };
}

function calibrationOf({ name, digest, items, isRandom }: CalibrationSet) {
  return {
    calibration: name,
    calibration_digest: digest,
    calibration_items: items,
    calibration_random: isRandom,
  };
}
