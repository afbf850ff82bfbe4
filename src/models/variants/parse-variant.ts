import { ModelError } from '../../errors.ts';
import type { Criterion } from '../prune/plan.ts';
import { CALIBRATION_METHODS, type CalibrationMethod } from '../quantize/ranges.ts';

/** One step from a base model to its variant. */
export type VariantStep =
  /** A variant that was trained and ships with dse, by its name in the catalogue: only first. */
  | { readonly kind: 'trained'; readonly name: string }
  | { readonly kind: 'int8-static'; readonly method: CalibrationMethod }
  | { readonly kind: 'int8-dynamic' }
  | { readonly kind: 'fp16' }
  /** Percent of filters. */
  | { readonly kind: 'pruned'; readonly percent: number; readonly by: Criterion }
  /** Percent of weights. */
  | { readonly kind: 'sparse'; readonly percent: number };

const TRAINED = /^(distilled|pruned-[1-9]\d?-finetuned)$/;
const HINT =
  'Variants are fp32, fp16, int8-static (or int8-static-percentile, int8-static-entropy), int8-dynamic, pruned-30 (percent of filters, by what the layers behind them lose on samples; pruned-30-norm by the size of their weights), sparse-50 (percent of weights), ' +
  'and pruned or sparse before a number format, e.g. pruned-30+int8-static; for the MNIST families also distilled and pruned-50-finetuned, which are trained.';

/**
 * The steps that a variant's name stands for, in order; none for "fp32", the model as it is.
 *
 * @throws ModelError if the name is not one of a variant
 */
export function parseVariant(name: string): VariantStep[] {
  if (name === 'fp32') return [];
  const steps = name.split('+').map((part) => {
    const step = parseStep(part);
    if (step === undefined) throw new ModelError({ what: `unknown variant "${name}"`, hint: HINT });
    return step;
  });
  if (steps.slice(1).some(({ kind }) => kind === 'trained')) {
    throw new ModelError({
      what: `the variant "${name}" names a trained variant after another step`,
      hint: 'Name the trained variant first, e.g. distilled+int8-static.',
    });
  }
  const isFormat = ({ kind }: VariantStep) => kind !== 'trained' && kind !== 'pruned' && kind !== 'sparse';
  if (steps.slice(0, -1).some(isFormat)) {
    throw new ModelError({
      what: `the variant "${name}" goes on after a change of the number format`,
      hint: 'Prune first and change the number format last, e.g. pruned-30+int8-static.',
    });
  }
  return steps;
}

function parseStep(text: string): VariantStep | undefined {
  if (TRAINED.test(text)) return { kind: 'trained', name: text };
  if (text === 'fp16' || text === 'int8-dynamic') return { kind: text };
  if (text === 'int8-static') return { kind: text, method: 'minmax' };
  const method = CALIBRATION_METHODS.find((known) => text === `int8-static-${known}`);
  if (method !== undefined) return { kind: 'int8-static', method };
  const [, filters, norm] = /^pruned-([1-9]\d?)(-norm)?$/.exec(text) ?? [];
  if (filters !== undefined) {
    return { kind: 'pruned', percent: Number(filters), by: norm === undefined ? 'activation' : 'norm' };
  }
  const [, weights] = /^sparse-([1-9]\d?)$/.exec(text) ?? [];
  return weights === undefined ? undefined : { kind: 'sparse', percent: Number(weights) };
}
