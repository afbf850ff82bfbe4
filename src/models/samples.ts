import { ModelError } from '../errors.ts';
import { createRng, deriveSeed, type Rng } from '../rng.ts';
import { unreachable } from '../unreachable.ts';
import { readArray } from './array-file.ts';
import { sampleFeed } from './feed.ts';
import type { DatasetRef, DataType, NamedTensor, SampleBatch, TensorData, TensorSpec } from './types.ts';

export interface SampleOptions {
  /** Items in a request: the size of each input's first dimension. */
  readonly batch: number;
  /** Requests to prepare. */
  readonly count: number;
  readonly seed: number;
  /** Labelled samples to send; without them the inputs are random. */
  readonly dataset?: DatasetRef | undefined;
  /** Sizes of other open dimensions by name, e.g. { sequence: 128 }. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
}

/** The most elements one tensor may have: its bytes must fit into one array. */
const MOST_ELEMENTS = 2 ** 29;

/**
 * Inputs for `count` requests: samples of the dataset in a seeded order, over and over, or else seeded random numbers.
 *
 * Random floats are uniform in [0, 1), bytes uniform over their range, and other integers 0 or 1, so that they are a valid token, mask, segment and index in any model.
 * @throws ModelError if an input cannot be made: an open dimension without a size, a batch that the model does not take, a dataset of another size, text
 */
export function makeSampleBatches(inputs: readonly TensorSpec[], options: SampleOptions): SampleBatch[] {
  checkBatch(options.batch);
  if (options.dataset !== undefined) return labelledBatches(inputs, options.dataset, options);
  const shapes = inputs.map((input) => fixShape(input, options));
  const rng = createRng(deriveSeed(options.seed, 'samples'));
  return Array.from({ length: options.count }, () => ({
    tensors: inputs.map(({ name, type }, index): NamedTensor => {
      const shape = shapes[index] ?? [];
      return { name, type, shape, data: randomData(name, type, product(shape), rng) };
    }),
    labels: undefined,
  }));
}

/** Labelled samples that a dataset has. */
export function countSamples({ labels }: DatasetRef): number {
  return readArray(labels).data.length;
}

function checkBatch(batch: number): void {
  if (Number.isInteger(batch) && batch >= 1) return;
  throw refused(`a batch of ${batch} cannot be made`, 'A batch is a whole number, 1 or more.');
}

function wrongBatch(name: string, size: number, batch: number): ModelError {
  return refused(
    `the input "${name}" takes batches of ${size}, not ${batch}`,
    `Set "batch" to ${size}, or export the model with an open first dimension.`,
  );
}

function fixShape({ name, shape }: TensorSpec, { batch, dims = {} }: SampleOptions): number[] {
  const fixed = shape.map((size, axis) => {
    if (axis === 0 && typeof size === 'number' && size !== batch) throw wrongBatch(name, size, batch);
    if (axis === 0) return batch;
    if (typeof size === 'number') return size;
    const given = Object.hasOwn(dims, size) ? dims[size] : undefined;
    if (given === undefined) {
      throw refused(
        `the input "${name}" leaves its dimension "${size}" open, and no size was given for it`,
        `Export the model with a fixed "${size}", or give its size.`,
      );
    }
    if (!Number.isInteger(given) || given < 1) {
      throw refused(`the dimension "${size}" cannot have the size ${given}`, 'A size is a whole number, 1 or more.');
    }
    return given;
  });
  if (product(fixed) > MOST_ELEMENTS) {
    throw refused(`the input "${name}" of shape [${fixed.join(', ')}] is too large to send`, 'Use a smaller batch.');
  }
  return fixed;
}

function labelledBatches(
  inputs: readonly TensorSpec[],
  dataset: DatasetRef,
  { batch, count, seed }: SampleOptions,
): SampleBatch[] {
  const fixed = inputs[0]?.shape[0];
  if (typeof fixed === 'number' && fixed !== batch) throw wrongBatch(inputs[0]?.name ?? '', fixed, batch);
  const [samples, labels] = [readArray(dataset.samples), readArray(dataset.labels)];
  const available = samples.shape[0] ?? 0;
  if (available === 0 || labels.shape.length !== 1 || labels.shape[0] !== available) {
    throw refused(
      `the dataset "${dataset.name}" has ${available} samples and ${labels.data.length} labels`,
      'Every sample needs one label.',
      dataset.labels,
    );
  }
  const feed = sampleFeed(inputs, { ...dataset, samples }, dataset.samples);
  const order = createRng(deriveSeed(seed, 'samples')).shuffle([...Array(available).keys()]);
  return Array.from({ length: count }, (_, request) => {
    const chosen = Array.from({ length: batch }, (_, item) => order[(request * batch + item) % available] ?? 0);
    return { tensors: [feed(chosen)], labels: chosen.map((sample) => labels.data[sample] ?? 0) };
  });
}

function randomData(name: string, type: DataType, length: number, rng: Rng): TensorData {
  // 24 bits are all that a float32 in [0, 1) holds evenly.
  const unit = () => rng.integer(0, 0xffffff) / 0x1000000;
  const bit = () => rng.integer(0, 1);
  switch (type) {
    case 'float32':
      return new Float32Array(length).map(unit);
    case 'float64':
      return new Float64Array(length).map(unit);
    case 'float16':
      return new Uint16Array(length).map(() => halfBitsOf1024ths(rng.integer(0, 1023)));
    case 'int8':
      return new Int8Array(length).map(() => rng.integer(-128, 127));
    case 'uint8':
      return new Uint8Array(length).map(() => rng.integer(0, 255));
    case 'bool':
      return new Uint8Array(length).map(bit);
    case 'int16':
      return new Int16Array(length).map(bit);
    case 'uint16':
      return new Uint16Array(length).map(bit);
    case 'int32':
      return new Int32Array(length).map(bit);
    case 'uint32':
      return new Uint32Array(length).map(bit);
    case 'int64':
      return new BigInt64Array(length).map(() => BigInt(bit()));
    case 'uint64':
      return new BigUint64Array(length).map(() => BigInt(bit()));
    case 'string':
      throw refused(`the input "${name}" is text, which cannot be made up`, 'Serve a model that takes numbers.');
    default:
      return unreachable(type);
  }
}

/** The bits of a float16 of value numerator / 1024, exact for 0 to 1023. */
function halfBitsOf1024ths(numerator: number): number {
  if (numerator === 0) return 0;
  const exponent = 31 - Math.clz32(numerator);
  return ((exponent + 5) << 10) | ((numerator - (1 << exponent)) << (10 - exponent));
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

function refused(what: string, hint: string, where?: string): ModelError {
  return new ModelError({ what, hint, ...(where !== undefined && { where }) });
}
