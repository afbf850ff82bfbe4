import { isExcluded } from '../design/index.ts';
import { DseError, ModelError, type Problem } from '../errors.ts';
import { resolveModel } from '../models/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec, Level } from '../spec/types.ts';
import { levelValue } from './configuration-settings.ts';
import { levelsOf } from './spec-levels.ts';

/**
 * The files of every model and variant a spec may serve, by model and variant; built or read once before anything starts.
 *
 * @throws ModelError with the problems of all of them
 */
export async function resolveModels(
  spec: ExperimentSpec,
  folders: { readonly baseDir: string; readonly cacheDir: string },
): Promise<ReadonlyMap<string, ResolvedModel>> {
  const models = new Map<string, ResolvedModel>();
  const problems: Problem[] = [];
  for (const model of levelsOf(spec, 'model')) {
    for (const variant of levelsOf(spec, 'variant')) {
      for (const length of lengthsOf(spec)) {
        const levels = { model, variant, ...(length && { sequence_length: length }) };
        // What an exclusion keeps from being served need not be possible.
        if (isExcluded(levels, spec.exclude)) continue;
        try {
          const sequenceLength = length?.value as number | undefined;
          const options = { ...folders, sequenceLength };
          models.set(modelKey(levels), await resolveModel(model.value as string, variant.value as string, options));
        } catch (error) {
          if (!(error instanceof DseError)) throw error;
          problems.push(...error.problems);
        }
      }
    }
  }
  if (problems.length > 0) throw new ModelError(problems);
  return models;
}

/** Sequence lengths that requests may have; one that is undefined where the spec says nothing of them. */
function lengthsOf(spec: ExperimentSpec): readonly (Level | undefined)[] {
  const levels = levelsOf(spec, 'sequence_length');
  return levels.length === 0 ? [undefined] : levels;
}

/** The resolved model that a design point serves. */
export function modelOf(
  { levels }: { readonly levels: Readonly<Record<string, Level>> },
  models: ReadonlyMap<string, ResolvedModel>,
): ResolvedModel {
  const model = models.get(modelKey(levels));
  if (model === undefined) throw new Error(`model ${modelKey(levels)} was not resolved before the run`);
  return model;
}

function modelKey(levels: Readonly<Record<string, Level>>): string {
  return JSON.stringify([levelValue(levels, 'model'), levelValue(levels, 'variant'), levels.sequence_length?.value]);
}
