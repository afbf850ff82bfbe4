import { resolve } from 'node:path';
import { ModelError } from '../../errors.ts';
import { digestOf } from '../cached-file.ts';
import { type DownloadOptions, download } from './download.ts';
import { remoteModels } from './remote-models.ts';
import type { RemoteModel } from './zoo.ts';

export interface PulledModel {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  /** False where it was there already. */
  readonly isNew: boolean;
}

/**
 * Downloads a model of the zoo, or of the user's catalogue, into the cache, unless it is there.
 *
 * @param mirror - replaces the scheme and host of the address, e.g. "http://models.local/zoo"
 * @throws ModelError if the name is not known, or the file cannot be had whole
 */
export async function pullModel(
  name: string,
  cacheDir: string,
  mirror: string | undefined,
  options: DownloadOptions = {},
): Promise<PulledModel> {
  const models = remoteModels();
  const model = Object.hasOwn(models, name) ? models[name] : undefined;
  if (model === undefined) {
    throw new ModelError({
      what: `no model "${name}" can be pulled`,
      hint: `There are ${Object.keys(models).join(', ')}. A catalogue of your own (DSE_CATALOGUE) adds to them.`,
    });
  }
  const file = pulledFile(name, model, cacheDir);
  const isNew = (await digestOf(file)) !== model.sha256;
  if (isNew) await download({ ...model, url: mirrored(model.url, mirror) }, file, options);
  return { name, file, sha256: model.sha256, isNew };
}

/** Where a pulled model stands in the cache. The digest is part of its name. */
export function pulledFile(name: string, { sha256 }: RemoteModel, cacheDir: string): string {
  return resolve(cacheDir, `${name}-${sha256.slice(0, 12)}.onnx`);
}

function mirrored(url: string, mirror: string | undefined): string {
  if (mirror === undefined) return url;
  const { pathname, search } = new URL(url);
  return `${mirror.replace(/\/+$/, '')}${pathname}${search}`;
}
