import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ModelError, messageOf, type Problem } from '../../errors.ts';
import { ImageError } from '../images/image-error.ts';
import { type ImageReader, imageReaderOf } from '../images/image-reader.ts';
import { stackTensors } from '../images/stack-tensors.ts';
import type { NamedTensor, ResolvedModel } from '../types.ts';
import type { SampleSource } from './sample-source.ts';

/** Problems of one folder that are listed; more are counted. */
const MOST_LISTED = 20;
const HINT = 'Lay it out as FOLDER/CLASS/IMAGE with JPEG or PNG files, one subfolder for each class.';

interface ClassFolder {
  readonly label: number;
  readonly files: readonly string[];
}

/**
 * Images in one subfolder for each class, made into the model's input as its description says; decoded when they are fed.
 *
 * A subfolder is named as the description names the class, or by the class's number. Where the classes have neither names nor numbers, the subfolders in the order of their
 * names are the classes from 0.
 * Every image is decoded once before anything is fed, so that all that is wrong with the folder is told at once. Hidden files are left out.
 * @throws ModelError with every file and subfolder that is not as it should be
 */
export async function openImageFolder(model: ResolvedModel, folder: string): Promise<SampleSource> {
  const read = imageReaderOf(model);
  const problems: Problem[] = [];
  const classes = listClasses(folder, model.image?.labels, problems);
  const images = classes.flatMap(({ label, files }) => files.map((file) => ({ label, file })));
  for (const { file } of images) {
    await readImage(read, file).catch((error: unknown) => problems.push(describe(file, error)));
  }
  if (problems.length > 0) throw new ModelError(shorten(problems, folder));
  return {
    name: basename(folder),
    labels: images.map(({ label }) => label),
    feed: async (positions) => {
      const tensors: NamedTensor[] = [];
      for (const position of positions) tensors.push(await readImage(read, images[position]?.file ?? ''));
      return stackTensors(tensors);
    },
  };
}

/** Files of an image set with their class's folder, in order; for a digest of the set. */
export function listImageFiles(folder: string): readonly string[] {
  return listClasses(folder, undefined, []).flatMap(({ files }) => files);
}

async function readImage(read: ImageReader, file: string): Promise<NamedTensor> {
  return await read(await readFile(file));
}

function listClasses(folder: string, labels: readonly string[] | undefined, problems: Problem[]): ClassFolder[] {
  const entries = list(folder);
  for (const { name } of entries.filter((entry) => !entry.isDirectory())) {
    problems.push({ where: join(folder, name), what: 'the file is in no class', hint: HINT });
  }
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length === 0) problems.push({ where: folder, what: 'the folder has no subfolders', hint: HINT });
  const labelOf = labelling(names, labels);
  return names.flatMap((name) => {
    const where = join(folder, name);
    const label = labelOf(name);
    if (label === undefined) {
      const known = labels === undefined ? 'numbers of classes' : `classes: ${labels.slice(0, 20).join(', ')}`;
      problems.push({ where, what: `the model has no class "${name}"`, hint: `Name subfolders by its ${known}.` });
    }
    const inside = list(where);
    if (inside.length === 0) problems.push({ where, what: 'the class has no images', hint: HINT });
    const files = inside.map((entry) => join(where, entry.name));
    return label === undefined ? [] : [{ label, files }];
  });
}

/** What gives a subfolder's class by its name; undefined for a name that is none. */
function labelling(
  names: readonly string[],
  labels: readonly string[] | undefined,
): (name: string) => number | undefined {
  const isNumber = (name: string) => /^\d{1,9}$/.test(name);
  if (labels !== undefined) {
    return (name) => {
      const index = labels.indexOf(name);
      if (index >= 0) return index;
      return isNumber(name) && Number(name) < labels.length ? Number(name) : undefined;
    };
  }
  if (names.some(isNumber)) return (name) => (isNumber(name) ? Number(name) : undefined);
  return (name) => names.indexOf(name);
}

/** Entries in the order of their names, hidden ones left out. */
function list(folder: string) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new ModelError({ where: folder, what: `the folder cannot be read: ${messageOf(error)}`, hint: HINT }, error);
  }
}

function describe(file: string, error: unknown): Problem {
  const what = error instanceof ImageError ? error.message : `the file cannot be read: ${messageOf(error)}`;
  return { where: file, what, hint: 'Remove it, or save it as JPEG or PNG again.' };
}

function shorten(problems: readonly Problem[], folder: string): readonly Problem[] {
  const more = problems.length - MOST_LISTED;
  if (more <= 0) return problems;
  return [...problems.slice(0, MOST_LISTED), { where: folder, what: `and ${more} more problems`, hint: HINT }];
}
