import leven from 'leven';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { remoteModels } from './pull/remote-models.ts';
import { syntheticModels } from './synthetic-models.ts';
import { trainedModels } from './trained-models.ts';

/** The models dse knows by name. Builders load only when used, so that asking for names stays cheap. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = { ...syntheticModels, ...trainedModels };

export function modelNames(): string[] {
  return Object.keys(catalogue);
}

/** Whether the catalogue has the name, or it is one that can be pulled. A user's own file is named by its path instead; see `isModelPath`. */
export function isKnownModel(name: string): boolean {
  return Object.hasOwn(catalogue, name) || Object.hasOwn(remoteModels(), name);
}

/** Whether a model is named by the path of a file: it ends in .onnx or holds a slash. */
export function isModelPath(name: string): boolean {
  return /\.onnx$|[\\/]/i.test(name);
}

/** Names of the catalogue close to the one given, nearest first; none where nothing is close. */
export function nearestModelNames(name: string): string[] {
  const wanted = simplify(name);
  return modelNames()
    .map((known) => ({ known, distance: distanceTo(wanted, simplify(known)) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .map(({ known }) => known);
}

/** Letters and digits only: "SqueezeNet-1.1" and "squeezenet1_1" are one name to a reader. */
function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Nothing where one name is the start of the other, else the Levenshtein distance. */
function distanceTo(wanted: string, known: string): number {
  if (wanted.length >= 3 && (known.startsWith(wanted) || wanted.startsWith(known))) return 0;
  return leven(wanted, known);
}
