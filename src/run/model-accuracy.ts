import { type EvaluatedAccuracy, evaluateOnce } from '../models/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec } from '../spec/types.ts';

/**
 * Accuracy of the models whose requests carry no labels, on the samples that the spec names, by digest.
 *
 * @param folders - where relative paths start, and where evaluations are kept between runs
 * @throws ModelError if the samples cannot be read or do not fit a model
 */
export async function evaluateModels(
  spec: ExperimentSpec,
  models: Iterable<ResolvedModel>,
  folders: { readonly baseDir: string; readonly cacheDir: string },
): Promise<ReadonlyMap<string, EvaluatedAccuracy>> {
  const evaluated = new Map<string, EvaluatedAccuracy>();
  if (spec.accuracy === undefined) return evaluated;
  for (const model of models) {
    if (model.dataset !== undefined || evaluated.has(model.digest)) continue;
    evaluated.set(model.digest, await evaluateOnce(model, spec.accuracy, folders));
  }
  return evaluated;
}
