import { isExcluded } from '../design/index.ts';
import { DseError, ModelError, type Problem } from '../errors.ts';
import { imageReaderOf, resolveModel } from '../models/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec, Level, Neighbour } from '../spec/types.ts';
import { levelValue } from './configuration-settings.ts';
import { levelsOf, neighbourLevels } from './spec-levels.ts';

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
  const served: readonly Servable[] = [...underTest(spec), ...neighbourLevels(spec)];
  for (const what of served) {
    if (models.has(modelKey(what))) continue;
    const { model, variant, sequenceLength, isSentImages = false } = what;
    try {
      const resolved = await resolveModel(model, variant, { ...folders, sequenceLength });
      models.set(modelKey(what), resolved);
      if (isSentImages) imageReaderOf(resolved);
    } catch (error) {
      if (!(error instanceof DseError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ModelError(problems);
  return models;
}

/** What is served: a model and variant, for requests of some length where that is a factor. */
interface Servable {
  readonly model: string;
  readonly variant: string;
  readonly sequenceLength?: number | undefined;
  /** Whether some of its requests are images. */
  readonly isSentImages?: boolean;
}

/** Every combination that a server under test may serve. What an exclusion keeps from being served need not be possible. */
function underTest(spec: ExperimentSpec): Servable[] {
  return levelsOf(spec, 'model')
    .flatMap((model) => levelsOf(spec, 'variant').map((variant) => ({ model, variant })))
    .flatMap((levels) => lengthsOf(spec).map((length) => ({ ...levels, ...(length && { sequence_length: length }) })))
    .filter((levels) => !isExcluded(levels, spec.exclude))
    .map((levels) => ({ ...servableOf(levels), isSentImages: isSentImages(levels, spec) }));
}

function isSentImages(levels: Readonly<Record<string, Level>>, spec: ExperimentSpec): boolean {
  return levelsOf(spec, 'protocol').some(
    (protocol) => protocol.value === 'image' && !isExcluded({ ...levels, protocol }, spec.exclude),
  );
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
  return find(servableOf(levels), models);
}

/** The resolved model that a neighbour serves. */
export function neighbourModelOf(neighbour: Neighbour, models: ReadonlyMap<string, ResolvedModel>): ResolvedModel {
  return find(neighbour, models);
}

function find(what: Servable, models: ReadonlyMap<string, ResolvedModel>): ResolvedModel {
  const model = models.get(modelKey(what));
  if (model === undefined) throw new Error(`model ${modelKey(what)} was not resolved before the run`);
  return model;
}

function servableOf(levels: Readonly<Record<string, Level>>): Servable {
  return {
    model: levelValue(levels, 'model'),
    variant: levelValue(levels, 'variant'),
    sequenceLength: levels.sequence_length?.value as number | undefined,
  };
}

function modelKey({ model, variant, sequenceLength }: Servable): string {
  return JSON.stringify([model, variant, sequenceLength]);
}
