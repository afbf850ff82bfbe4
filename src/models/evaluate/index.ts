import { ModelError } from '../../errors.ts';
import type { ResolvedModel } from '../types.ts';
import { type Accuracy, type PairedDifference, pairedDifference, summarizeAccuracy } from './accuracy.ts';
import type { SampleScaling } from './sample-source.ts';

export type { SampleScaling } from './sample-source.ts';

export interface EvaluationSet extends Partial<SampleScaling> {
  /** File of the samples, or folder of images; undefined for the model's own dataset. */
  readonly data: string | undefined;
  readonly labels: string | undefined;
}

export interface ModelEvaluation extends Accuracy {
  readonly set: string;
  /** How the values of the set were fed; undefined for images, which the model's description tells of. */
  readonly scaling: SampleScaling | undefined;
  /** How those of the model's own samples are, where they are fed otherwise. */
  readonly ownScaling: SampleScaling | undefined;
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
      hint: 'Name a set: --data FILE --labels FILE (IDX or NPY), --data FILE.csv, or --data FOLDER of images.',
    });
  }
  const { isFolder, openSource } = await import('./sample-source.ts');
  const { predictAll } = await import('./evaluate-model.ts');
  const isOwn = data === undefined;
  const isImages = !isOwn && isFolder(data);
  if (isImages && [labels, scale, offset].some((given) => given !== undefined)) throw overdescribed(data ?? '');
  const scaling = { scale: scale ?? (isOwn ? own?.scale : 1) ?? 1, offset: offset ?? (isOwn ? own?.offset : 0) ?? 0 };
  const open = (one: ResolvedModel) =>
    openSource(one, data ?? own?.samples ?? '', isOwn ? own?.labels : labels, scaling);
  const source = await open(model);
  const predictions = await predictAll(model, source);
  const basePredictions = base && (await predictAll(base, await open(base)));
  return {
    scaling: isImages ? undefined : scaling,
    ownScaling:
      isImages || isOwn || own === undefined || isSame(own, scaling)
        ? undefined
        : { scale: own.scale, offset: own.offset },
    set: isOwn ? (own?.name ?? source.name) : source.name,
    ...summarizeAccuracy(predictions),
    againstBase: basePredictions && pairedDifference(predictions, basePredictions),
  };
}

/** To a thousandth: nobody types more digits. */
function isSame(one: SampleScaling, other: SampleScaling): boolean {
  const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-3 * Math.abs(b);
  return isNear(one.scale, other.scale) && isNear(one.offset, other.offset);
}

function overdescribed(where: string): ModelError {
  return new ModelError({
    where,
    what: 'a folder of images is given with labels, scale or offset',
    hint: "Leave them out: the subfolders are the labels, and the model's description says how images become its input.",
  });
}
