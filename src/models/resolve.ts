import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ModelError, messageOf } from '../errors.ts';
import { packageFile } from '../package-files.ts';
import { digestOf, writeWhole } from './cached-file.ts';
import { catalogue, isModelPath, modelNames, nearestModelNames, type SyntheticEntry } from './catalogue.ts';
import type { ResolvedModel } from './types.ts';

export interface ResolveOptions {
  /** Folder that a model's relative path starts from: the spec's own. */
  readonly baseDir: string;
  /** Folder that built models are kept in. Made if missing; safe to share between processes. */
  readonly cacheDir: string;
}

/**
 * The model that a spec names: one of the catalogue, built into the cache the first time, or an ONNX file of the user's own.
 *
 * @param variant - "fp32": the catalogue's file, or the user's file as it is
 * @throws ModelError if the name or variant is not known, the file is missing or not an ONNX model, or the cache cannot be written
 */
export async function resolveModel(name: string, variant: string, options: ResolveOptions): Promise<ResolvedModel> {
  if (variant !== 'fp32') {
    throw new ModelError({
      what: `variant "${variant}" of model "${name}" does not exist`,
      hint: 'The one variant there is today is "fp32". A file that you converted yourself can be named by its path.',
    });
  }
  const entry = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (entry === undefined && !isModelPath(name)) throw unknownModel(name);
  const file =
    entry === undefined
      ? resolve(options.baseDir, name)
      : entry.isSynthetic
        ? await builtFile(name, variant, entry, options.cacheDir)
        : packageFile(entry.file);
  const described = await describeFile(file);
  return { name, variant, file, ...described, dataset: undefined };
}

function unknownModel(name: string): ModelError {
  const nearest = nearestModelNames(name);
  const guess = nearest.length > 0 ? `Did you mean ${nearest.map((known) => `"${known}"`).join(' or ')}? ` : '';
  return new ModelError({
    what: `unknown model "${name}"`,
    hint: `${guess}The catalogue has ${modelNames().join(', ')}; a file of your own is named by its path, e.g. "models/mine.onnx".`,
  });
}

/** The digest is part of the file's name, so that caches shared by different versions of dse never mix. */
async function builtFile(name: string, variant: string, entry: SyntheticEntry, cacheDir: string): Promise<string> {
  const file = join(cacheDir, `${name}-${variant}-${entry.sha256.slice(0, 12)}.onnx`);
  if ((await digestOf(file)) === entry.sha256) return file;
  const { writeOnnx } = await import('./onnx-file.ts');
  const bytes = writeOnnx(await entry.build(entry.seed));
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== entry.sha256) {
    throw new ModelError({
      where: file,
      what: `building "${name}" gave a file with SHA-256 ${digest}, not the ${entry.sha256} of this version of dse`,
      hint: 'Results with it could not be compared with others. Install dse again with `npm ci`.',
    });
  }
  await writeWhole(file, bytes);
  return file;
}

async function describeFile(file: string) {
  const { readOnnx } = await import('./onnx-file.ts');
  const { inputSpecs, outputSpecs } = await import('./tensor-specs.ts');
  const { countParameters } = await import('./parameters.ts');
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new ModelError(
      { where: file, what: `the model cannot be read: ${messageOf(error)}`, hint: 'Check the path.' },
      error,
    );
  });
  const model = readOnnx(bytes, file);
  const graph = model.graph ?? undefined;
  if (graph === undefined) throw new Error('unreachable');
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    isSynthetic: model.metadataProps.some(({ key, value }) => key === 'dse.synthetic_weights' && value === 'true'),
    inputs: inputSpecs(graph, file),
    outputs: outputSpecs(graph, file),
    params: countParameters(graph),
    macs: undefined,
    sizeBytes: bytes.length,
  };
}
