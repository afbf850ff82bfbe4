import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { ModelError } from '../errors.ts';
import { packageFile } from '../package-files.ts';
import { digestOf, writeWhole } from './cached-file.ts';
import { catalogue, isModelPath, modelNames, nearestModelNames } from './catalogue.ts';
import type { PinnedFile, SyntheticEntry, TrainedEntry } from './catalogue-entry.ts';
import { readSidecar } from './images/parse-description.ts';
import { pulledFile } from './pull/pull-model.ts';
import { remoteModels } from './pull/remote-models.ts';
import type { RemoteModel } from './pull/zoo.ts';
import type { ResolvedModel } from './types.ts';

export interface ResolveOptions {
  /** Folder that a model's relative path starts from: the spec's own. */
  readonly baseDir: string;
  /** Folder that built models are kept in. Made if missing; safe to share between processes. */
  readonly cacheDir: string;
  /** Length of the sequences in requests, for a model that leaves it open; undefined for the model's own. */
  readonly sequenceLength?: number | undefined;
}

/**
 * The model that a spec names: one of the catalogue, built into the cache the first time, or an ONNX file of the user's own; and the variant of it, made into the cache the first time.
 *
 * Nothing is downloaded. What reads, builds and runs ONNX is loaded only here.
 * @param variant - "fp32": the catalogue's file, or the user's file as it is; others see `variants/parse-variant.ts`. Calibrated on the model's own calibration samples,
 *   or on seeded random numbers where it has none, which its lineage and caveats then say
 * @throws ModelError if the name or variant is not known, the file is missing or not an ONNX model, the variant cannot be made of it, or the cache cannot be written
 */
export async function resolveModel(name: string, variant: string, options: ResolveOptions): Promise<ResolvedModel> {
  const { parseVariant } = await import('./variants/parse-variant.ts');
  const all = parseVariant(variant);
  const [first] = all;
  const trained = first?.kind === 'trained' ? first.name : undefined;
  const steps = trained === undefined ? all : all.slice(1);
  const { file: base, dataset, image } = await locate(name, trained, options);
  const { describeFile } = await import('./describe-file.ts');
  if (steps.length === 0)
    return { name, variant, file: base, dataset, image, ...(await describeFile(base, options.sequenceLength)) };
  const { variantFile } = await import('./variants/variant-file.ts');
  const file = await variantFile({ file: base, dataset, variant, steps, cacheDir: options.cacheDir });
  return { name, variant, file, dataset, image, ...(await describeFile(file, options.sequenceLength)) };
}

/** @param trained - a variant that ships with dse, instead of the base model */
async function locate(
  name: string,
  trained: string | undefined,
  { baseDir, cacheDir }: ResolveOptions,
): Promise<Pick<ResolvedModel, 'file' | 'dataset' | 'image'>> {
  const entry = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  const file = entry?.isSynthetic === false && trained !== undefined ? entry.variants?.[trained] : undefined;
  if (trained !== undefined && file === undefined) throw noTrainedVariant(name, trained);
  if (entry?.isSynthetic) {
    return { file: await buildOnce(name, entry, cacheDir), dataset: undefined, image: entry.image };
  }
  if (entry !== undefined) return locateTrained(entry, file ?? { path: entry.file, sha256: entry.sha256 });
  const remote = remoteModels();
  if (Object.hasOwn(remote, name)) return locatePulled(name, remote[name] as RemoteModel, cacheDir);
  if (isModelPath(name)) {
    const own = resolve(baseDir, name);
    return { file: own, dataset: undefined, image: readSidecar(own) };
  }
  throw unknownModel(name);
}

/** The digest is part of the file's name, so that a cache shared by different versions of dse never mixes their models. */
async function buildOnce(name: string, entry: SyntheticEntry, cacheDir: string): Promise<string> {
  const file = resolve(cacheDir, `${name}-fp32-${entry.sha256.slice(0, 12)}.onnx`);
  if ((await digestOf(file)) === entry.sha256) return file;
  const { writeOnnx } = await import('./onnx-file.ts');
  const bytes = writeOnnx(await entry.build(entry.seed));
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== entry.sha256) {
    throw new ModelError({
      where: file,
      what: `building "${name}" gave SHA-256 ${digest}, but the catalogue of this dse has ${entry.sha256}`,
      hint: 'Results with it could not be compared with others. Install dse again with `npm ci`.',
    });
  }
  await writeWhole(file, bytes);
  return file;
}

/** Downloaded by `dse models pull`, and never from here: an experiment must not wait for, or change with, a network. */
async function locatePulled(name: string, model: RemoteModel, cacheDir: string) {
  const file = pulledFile(name, model, cacheDir);
  if ((await digestOf(file)) === model.sha256) return { file, dataset: undefined, image: model.image };
  throw new ModelError({
    where: name,
    what: 'the model was not downloaded yet',
    hint: `Run: dse models pull ${name}`,
  });
}

/** Files that ship with dse are checked before use: a damaged label would be a wrong accuracy that looks fine. */
async function locateTrained(
  { dataset, image }: TrainedEntry,
  file: PinnedFile,
): Promise<Pick<ResolvedModel, 'file' | 'dataset' | 'image'>> {
  const { name, scale, offset, calibration } = dataset;
  return {
    file: await checkedFile(file),
    dataset: {
      name,
      samples: await checkedFile(dataset.samples),
      labels: await checkedFile(dataset.labels),
      ...(calibration && { calibration: await checkedFile(calibration) }),
      scale,
      offset,
    },
    image,
  };
}

function noTrainedVariant(name: string, variant: string): ModelError {
  const having = Object.entries(catalogue).filter(
    ([, entry]) => !entry.isSynthetic && Object.hasOwn(entry.variants ?? {}, variant),
  );
  return new ModelError({
    what: `"${name}" has no variant "${variant}": it is trained, and cannot be made of any model`,
    hint:
      having.length > 0
        ? `Models that have it: ${having.map(([known]) => known).join(', ')}.`
        : 'No model of dse has it.',
  });
}

async function checkedFile({ path: relativePath, sha256 }: PinnedFile): Promise<string> {
  const file = packageFile(relativePath);
  const digest = await digestOf(file);
  if (digest !== sha256) {
    throw new ModelError({
      where: file,
      what:
        digest === undefined
          ? 'a file of dse is missing or cannot be read'
          : `a file of dse was changed: its SHA-256 is ${digest}`,
      hint: `Restore ${relativePath}, e.g. with \`git checkout -- ${relativePath}\`, or install dse again.`,
    });
  }
  return file;
}

function unknownModel(name: string): ModelError {
  const nearest = nearestModelNames(name).map((known) => `"${known}"`);
  return new ModelError({
    what: `unknown model "${name}"`,
    hint:
      `${nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}? ` : ''}The catalogue has ${modelNames().join(', ')}. ` +
      'A file of your own is named by its path, e.g. "models/mine.onnx".',
  });
}
