import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { contentHash } from '../../content-hash.ts';
import { digestOf, writeWhole } from '../cached-file.ts';
import type { ResolvedModel } from '../types.ts';
import { evaluateModel } from './index.ts';
import { isFolder } from './sample-source.ts';

/** Labelled samples as an experiment names them; relative paths start at its folder. */
export interface NamedSet {
  readonly data: string;
  readonly labels?: string | undefined;
  readonly scale?: number | undefined;
  readonly offset?: number | undefined;
}

/** Shares of samples, 0 to 1. */
export interface EvaluatedAccuracy {
  readonly top1: number;
  readonly top5: number;
}

/**
 * Accuracy of a model on a set, from the cache where the same file was evaluated on the same samples before.
 *
 * @throws ModelError if the set cannot be read or does not fit the model
 */
export async function evaluateOnce(
  model: ResolvedModel,
  { data, labels, scale, offset }: NamedSet,
  { baseDir, cacheDir }: { readonly baseDir: string; readonly cacheDir: string },
): Promise<EvaluatedAccuracy> {
  const files = { data: resolve(baseDir, data), labels: labels === undefined ? undefined : resolve(baseDir, labels) };
  // What has no digest cannot be read; evaluating it says why.
  const digests = await Promise.all([digestOfSet(files.data), digestOfSet(files.labels ?? files.data)]);
  const isKept = digests.every((digest) => digest !== undefined);
  const image = isFolder(files.data) ? { image: model.image ?? null } : {};
  const plain = { model: model.digest, digests, scale: scale ?? null, offset: offset ?? null };
  const key = contentHash({ ...plain, ...image }).slice(0, 24);
  const kept = resolve(cacheDir, `accuracy-${key}.json`);
  const known = isKept ? await readKept(kept) : undefined;
  if (known !== undefined) return known;
  const { top1, top5 } = await evaluateModel(model, undefined, {
    ...files,
    ...(scale !== undefined && { scale }),
    ...(offset !== undefined && { offset }),
  });
  if (isKept) await writeWhole(kept, new TextEncoder().encode(JSON.stringify({ top1, top5 })));
  return { top1, top5 };
}

/** Digest of a file, or of all images of a folder with their places; undefined where it cannot be read. */
async function digestOfSet(data: string): Promise<string | undefined> {
  if (!isFolder(data)) return await digestOf(data);
  const { listImageFiles } = await import('./image-folder.ts');
  try {
    const digests: unknown[] = [];
    // One after another: a folder may hold more files than a process may have open.
    for (const file of listImageFiles(data)) digests.push([relative(data, file), (await digestOf(file)) ?? null]);
    return contentHash(digests);
  } catch {
    return undefined;
  }
}

/** Undefined where it was not kept, or is damaged. */
async function readKept(file: string): Promise<EvaluatedAccuracy | undefined> {
  try {
    const { top1, top5 } = JSON.parse(await readFile(file, 'utf8')) as EvaluatedAccuracy;
    return Number.isFinite(top1) && Number.isFinite(top5) ? { top1, top5 } : undefined;
  } catch {
    return undefined;
  }
}
