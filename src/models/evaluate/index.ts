import { ModelError } from '../../errors.ts';
import type { ResolvedModel } from '../types.ts';
import { type Accuracy, type PairedDifference, pairedDifference, summarizeAccuracy } from './accuracy.ts';
import type { SampleScaling } from './evaluate-model.ts';

export interface EvaluationSet extends Partial<SampleScaling> {
  /** File of the samples; undefined for the model's own dataset. */
  readonly data: string | undefined;
  readonly labels: string | undefined;
}

export interface ModelEvaluation extends Accuracy {
  readonly set: string;
  /** Against the base; undefined where there is none. */
  readonly againstBase: PairedDifference | undefined;
}

/**
 * Accuracy of a model on labelled samples, and how it differs from its base on the same ones.
 *
 * @throws ModelError if the set cannot be read or does not fit the model
 */
export async function evaluateModel(
  model: ResolvedModel,
  base: ResolvedModel | undefined,
  { data, labels, scale, offset }: EvaluationSet,
): Promise<ModelEvaluation> {
  const own = model.dataset;
  if (data === undefined && own === undefined) {
    throw new ModelError({
      what: `"${model.name}" ships with no labelled samples`,
      hint: 'Name a set: --data FILE --labels FILE (IDX or NPY), or --data FILE.csv.',
    });
  }
  const { readLabelledSet } = await import('./labelled-set.ts');
  const { predictAll } = await import('./evaluate-model.ts');
  const set = readLabelledSet(data ?? own?.samples ?? '', data === undefined ? own?.labels : labels);
  const isOwn = data === undefined;
  const scaling = { scale: scale ?? (isOwn ? own?.scale : 1) ?? 1, offset: offset ?? (isOwn ? own?.offset : 0) ?? 0 };
  const predictions = await predictAll(model, set, scaling);
  const basePredictions = base && (await predictAll(base, set, scaling));
  return {
    set: isOwn ? (own?.name ?? set.name) : set.name,
    ...summarizeAccuracy(predictions),
    againstBase: basePredictions && pairedDifference(predictions, basePredictions),
  };
}
