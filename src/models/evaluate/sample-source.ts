import { statSync } from 'node:fs';
import { sampleFeed } from '../feed.ts';
import type { NamedTensor, ResolvedModel } from '../types.ts';
import { openImageFolder } from './image-folder.ts';
import { readLabelledSet } from './labelled-set.ts';

/** What the tensor of a sample is made by: value * scale + offset. */
export interface SampleScaling {
  readonly scale: number;
  readonly offset: number;
}

/** Labelled samples as a model takes them. */
export interface SampleSource {
  readonly name: string;
  readonly labels: ArrayLike<number>;
  /** The input made of the samples at these positions. */
  readonly feed: (positions: readonly number[]) => NamedTensor | Promise<NamedTensor>;
}

/** Whether a set is a folder of images rather than a file of numbers. */
export function isFolder(data: string): boolean {
  return statSync(data, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Opens the samples of a set for a model: images of a folder as the model's description says, numbers of files scaled.
 *
 * @param labels - file of the labels, for samples in IDX or NPY
 * @throws ModelError if the set cannot be read or does not fit the model
 */
export async function openSource(
  model: ResolvedModel,
  data: string,
  labels: string | undefined,
  scaling: SampleScaling,
): Promise<SampleSource> {
  if (isFolder(data)) return await openImageFolder(model, data);
  const set = readLabelledSet(data, labels);
  return { name: set.name, labels: set.labels, feed: sampleFeed(model.inputs, { ...set, ...scaling }, model.file) };
}
