import { ModelError } from '../errors.ts';
import { metadataKeys } from './metadata.ts';
import type { ModelProto } from './onnx-schema.ts';
import type { TensorSpec } from './types.ts';

/** Sizes of dimensions that a model leaves open, besides the batch, by their names. */
export type OpenDimensions = Readonly<Record<string, number>>;

/** The sizes that the file itself names for the dimensions it leaves open; none where it names none. */
export function defaultDimensions(
  model: Pick<ModelProto, 'metadataProps'>,
  inputs: readonly TensorSpec[],
): OpenDimensions {
  const length = lengthOf(model, metadataKeys.sequenceLength);
  return length === undefined ? {} : Object.fromEntries(openNames(inputs).map((name) => [name, length]));
}

/**
 * Sizes for requests of a given sequence length: tokens of a text, readings of a time series.
 *
 * @param sequenceLength - undefined for the file's own
 * @throws ModelError if the model leaves no dimension, or more than one, open besides the batch, or takes no sequence as long
 */
export function dimensionsFor(
  model: Pick<ModelProto, 'metadataProps'>,
  inputs: readonly TensorSpec[],
  sequenceLength: number | undefined,
  where: string,
): OpenDimensions {
  if (sequenceLength === undefined) return defaultDimensions(model, inputs);
  const names = openNames(inputs);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new ModelError({
      where,
      what: `a sequence length of ${sequenceLength} cannot be set: the model leaves ${names.length === 0 ? 'no dimension open besides the batch' : `several dimensions open (${names.join(', ')})`}`,
      hint: 'Vary "sequence_length" only for models of texts or series whose length is open, or exclude the others.',
    });
  }
  const longest = lengthOf(model, metadataKeys.longestSequence) ?? Number.POSITIVE_INFINITY;
  if (sequenceLength > longest) {
    throw new ModelError({
      where,
      what: `a sequence length of ${sequenceLength} is too long for the model, which takes at most ${longest}`,
      hint: `Set "sequence_length" to at most ${longest}.`,
    });
  }
  return { [name]: sequenceLength };
}

function openNames(inputs: readonly TensorSpec[]): string[] {
  const [first] = inputs.map(({ shape }) => shape[0]);
  const names = inputs.flatMap(({ shape }) => shape.slice(1).filter((size) => typeof size === 'string'));
  return [...new Set(names)].filter((name) => name !== first);
}

function lengthOf({ metadataProps }: Pick<ModelProto, 'metadataProps'>, key: string): number | undefined {
  const length = Number(metadataProps.find((entry) => entry.key === key)?.value);
  return Number.isInteger(length) && length > 0 ? length : undefined;
}
