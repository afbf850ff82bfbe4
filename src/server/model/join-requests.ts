import type { NamedTensor, TensorData } from '../../models/types.ts';
import type { BufferPool } from '../buffer-pool.ts';

type TypedArray = Exclude<TensorData, string[]>;
type TypedArrayMaker = new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray;

/** Inputs of several requests as one. */
export interface JoinedRequests {
  readonly tensors: readonly NamedTensor[];
  /** Memory of the tensors, from the pool. */
  readonly buffers: readonly ArrayBuffer[];
}

/**
 * Joins requests along the first dimension, in their order.
 *
 * This is the one copy a request's tensors are made of within the server.
 * @param requests - the inputs of each, in the model's order, their shapes equal but for the first dimension
 */
export function joinRequests(requests: readonly (readonly NamedTensor[])[], pool: BufferPool): JoinedRequests {
  const buffers: ArrayBuffer[] = [];
  const [first = []] = requests;
  const tensors = first.map(({ name, type, shape }, index): NamedTensor => {
    const parts = requests.map((request) => request[index] as NamedTensor);
    const items = parts.reduce((total, part) => total + (part.shape[0] ?? 0), 0);
    const data = joinData(
      parts.map((part) => part.data),
      pool,
      buffers,
    );
    return { name, type, shape: [items, ...shape.slice(1)], data };
  });
  return { tensors, buffers };
}

function joinData(parts: readonly TensorData[], pool: BufferPool, buffers: ArrayBuffer[]): TensorData {
  const [first] = parts;
  if (first === undefined || Array.isArray(first)) return (parts as readonly string[][]).flat();
  const typed = parts as readonly TypedArray[];
  const length = typed.reduce((total, part) => total + part.length, 0);
  const buffer = pool.take(length * first.BYTES_PER_ELEMENT);
  buffers.push(buffer);
  const joined = new (first.constructor as TypedArrayMaker)(buffer, 0, length);
  let offset = 0;
  for (const part of typed) {
    joined.set(part as never, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Splits the outputs of joined requests, without a copy.
 *
 * @param items - of each request, in their order
 * @throws RangeError where an output does not have one row for each item: its model mixes them, and what belongs to whom is not known
 */
export function splitOutputs(outputs: readonly NamedTensor[], items: readonly number[]): NamedTensor[][] {
  const total = items.reduce((sum, count) => sum + count, 0);
  const mixed = outputs.find(({ shape }) => shape[0] !== total);
  if (mixed !== undefined) {
    throw new RangeError(`the output "${mixed.name}" of shape [${mixed.shape}] does not hold ${total} items`);
  }
  let first = 0;
  return items.map((count) => {
    const start = first;
    first += count;
    return outputs.map((output) => {
      const perItem = output.data.length / total;
      const data = sliceOf(output.data, start * perItem, first * perItem);
      return { ...output, shape: [count, ...output.shape.slice(1)], data };
    });
  });
}

function sliceOf(data: TensorData, start: number, end: number): TensorData {
  return Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end);
}
