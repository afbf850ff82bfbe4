import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ModelError, messageOf } from '../../errors.ts';
import type { ModelSettings, RepositoryFolder } from '../types.ts';

/** Name of the file in the folder of a version. */
const MODEL_FILE = 'model.onnx';

/**
 * Every version of every model in a repository folder, by name and then by version; see `RepositoryFolder` for its layout.
 * @throws ModelError where the folder cannot be read
 */
export function scanFolder({ path: root, serving }: RepositoryFolder): ModelSettings[] {
  const found = list(root).flatMap((entry): ModelSettings[] => {
    if (entry.isFile() && entry.name.endsWith('.onnx')) {
      const name = path.basename(entry.name, '.onnx');
      return [{ ...serving, name, version: '1', file: path.join(root, entry.name) }];
    }
    if (!entry.isDirectory()) return [];
    const folder = path.join(root, entry.name);
    return versionsIn(folder).map((version) => ({
      ...serving,
      ...{ name: entry.name, version, file: path.join(folder, version, MODEL_FILE) },
    }));
  });
  return found.toSorted((a, b) => a.name.localeCompare(b.name) || Number(a.version) - Number(b.version));
}

function versionsIn(folder: string): string[] {
  return list(folder)
    .filter((entry) => entry.isDirectory() && /^[1-9]\d*$/.test(entry.name))
    .map(({ name }) => name)
    .filter((version) => list(path.join(folder, version)).some(({ name }) => name === MODEL_FILE));
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const hint = 'Give a folder with {name}/{version}/model.onnx or {name}.onnx that can be read.';
    throw new ModelError(
      { where: folder, what: `it cannot be read as a model repository: ${messageOf(error)}`, hint },
      error,
    );
  }
}
