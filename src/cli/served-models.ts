import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import { resolveModel } from '../models/index.ts';
import type { ModelSettings, RepositoryFolder, ServingSettings } from '../server/types.ts';
import { modelCacheDir } from './cache-dir.ts';

/** What `dse serve` was asked to serve. */
export interface ServedModels {
  readonly models: readonly ModelSettings[];
  readonly folder: RepositoryFolder | undefined;
  /** A line on each model named, for the user. */
  readonly remarks: readonly string[];
}

/**
 * Models as the command line names them: `squeezenet1.1`, `mine.onnx`, either under a name of its own (`a=mine.onnx`), or one repository folder.
 *
 * @param variant - of every model named; what is in a folder is served as it is
 * @throws UsageError for two models of one name, or more than one folder; ModelError for a model that cannot be had
 */
export async function readServedModels(
  texts: readonly string[],
  variant: string,
  serving: ServingSettings,
): Promise<ServedModels> {
  const folders = texts.filter((text) => statSync(text, { throwIfNoEntry: false })?.isDirectory());
  const [folder] = folders;
  if (folders.length > 1) {
    throw new UsageError({ what: `${folders.length} folders are given`, hint: 'Give one repository folder.' });
  }
  const named = await Promise.all(
    texts.filter((text) => text !== folder).map((text) => readModel(text, variant, serving)),
  );
  const models = named.map(({ settings }) => settings);
  const twice = models.find(({ name }, index) => models.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) {
    throw new UsageError({
      what: `two models would be served as "${twice.name}"`,
      hint: `Give one of them another name, e.g. other=${twice.file}.`,
    });
  }
  return {
    models,
    folder: folder === undefined ? undefined : { path: path.resolve(folder), serving },
    remarks: named.flatMap(({ remark }) => remark),
  };
}

async function readModel(text: string, variant: string, serving: ServingSettings) {
  const [, givenName, reference = text] = (existsSync(text) ? undefined : /^([^=/\\]+)=(.+)$/.exec(text)) ?? [];
  const model = await resolveModel(reference, variant, { baseDir: process.cwd(), cacheDir: modelCacheDir() });
  const name = givenName ?? path.basename(model.name, '.onnx');
  const remark = [
    ...(model.isSynthetic ? [`${name} has synthetic weights: true in cost, not in answers.`] : []),
    ...model.caveats.map((caveat) => `${name}, variant ${variant}: ${caveat}.`),
  ];
  return { settings: { ...serving, name, file: model.file, image: model.image }, remark };
}
