import type { NamedTensor, TensorData } from '../types.ts';

type TypedArray = Exclude<TensorData, string[]>;
type TypedArrayMaker = new (length: number) => TypedArray;

/** Tensors [1, ...] of one shape and type of numbers as one tensor [count, ...]. */
export function stackTensors(tensors: readonly NamedTensor[]): NamedTensor {
  const [first] = tensors;
  if (first === undefined) throw new RangeError('there is nothing to stack');
  const parts = tensors.map(({ data }) => data as TypedArray);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const data = new ((first.data as TypedArray).constructor as TypedArrayMaker)(length);
  let offset = 0;
  for (const part of parts) {
    data.set(part as never, offset);
    offset += part.length;
  }
  return { ...first, shape: [tensors.length, ...first.shape.slice(1)], data };
}
