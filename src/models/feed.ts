import { ModelError } from '../errors.ts';
import type { NumberArray } from './array-file.ts';
import type { DataType, NamedTensor, TensorData, TensorSpec } from './types.ts';

/** Samples [count, ...] as plain numbers, and what makes them into what a model takes: value * scale + offset. */
export interface SampleSet {
  readonly name: string;
  readonly samples: NumberArray;
  readonly scale: number;
  readonly offset: number;
}

/** Numeric arrays by element type: what makes one of a length. */
const arrays = {
  float32: (length: number) => new Float32Array(length),
  float64: (length: number) => new Float64Array(length),
  int8: (length: number) => new Int8Array(length),
  uint8: (length: number) => new Uint8Array(length),
  int32: (length: number) => new Int32Array(length),
  int64: (length: number) => new BigInt64Array(length),
} satisfies Partial<Record<DataType, (length: number) => TensorData>>;

/**
 * What makes the tensor of some samples, named by their positions.
 *
 * Dimensions that the model leaves open take the samples' own size where both have as many dimensions, and 1 otherwise.
 * @throws ModelError if the model has not one input of numbers with as many elements as a sample, or takes whole numbers that scaling would break
 */
export function sampleFeed(
  inputs: readonly TensorSpec[],
  { name, samples, scale, offset }: SampleSet,
  where: string,
): (positions: readonly number[]) => NamedTensor {
  const [, ...sample] = samples.shape;
  const size = product(sample);
  const [input] = inputs;
  const open = input?.shape.slice(1) ?? [];
  const rest = open.map((length, axis) =>
    typeof length === 'number' ? length : open.length === sample.length ? (sample[axis] ?? 1) : 1,
  );
  const create = input && Object.hasOwn(arrays, input.type) ? arrays[input.type as keyof typeof arrays] : undefined;
  if (input === undefined || inputs.length > 1 || create === undefined || product(rest) !== size) {
    const listed = inputs.map(({ name: own, type, shape }) => `${own} ${type} [${shape.join(', ')}]`).join(', ');
    throw new ModelError({
      where,
      what: `samples of "${name}" are [${sample.join(', ')}], which do not fit the model's inputs: ${listed}`,
      hint: 'Samples need a model with one input of numbers, of as many elements as a sample has.',
    });
  }
  const isWhole = !input.type.startsWith('float');
  if (isWhole && !(Number.isInteger(scale) && Number.isInteger(offset))) {
    throw new ModelError({
      where,
      what: `the input "${input.name}" takes whole numbers (${input.type}), which value * ${scale} + ${offset} does not give`,
      hint: 'Leave scale and offset out for a model that takes whole numbers.',
    });
  }
  return (positions) => {
    const data = create(positions.length * size);
    for (const [item, position] of positions.entries()) {
      for (let at = 0; at < size; at++) {
        const value = (samples.data[position * size + at] ?? 0) * scale + offset;
        if (data instanceof BigInt64Array) data[item * size + at] = BigInt(value);
        else data[item * size + at] = value;
      }
    }
    return { name: input.name, type: input.type, shape: [positions.length, ...rest], data };
  };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
