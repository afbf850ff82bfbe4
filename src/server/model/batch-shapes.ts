import type { ModelSignature } from '../../kserve/index.ts';
import type { NamedTensor, TensorSpec } from '../../models/types.ts';

/**
 * Why requests to a model cannot be joined along their first dimension; undefined where they can.
 *
 * They can where every input and output leaves its first dimension open, and nothing else depends on that size.
 */
export function whyNotJoinable({ inputs, outputs }: ModelSignature): string | undefined {
  if (inputs.length === 0) return 'it has no inputs';
  const tensors = [...inputs, ...outputs];
  const fixed = tensors.find(({ shape }) => typeof shape[0] !== 'string');
  if (fixed !== undefined) return `"${fixed.name}" of shape [${fixed.shape.join(', ')}] has no open first dimension`;
  const batchNames = new Set(tensors.map(({ shape }) => shape[0]).filter((name) => name !== UNNAMED));
  const tied = tensors.find(({ shape }) => shape.slice(1).some((size) => batchNames.has(size)));
  if (tied !== undefined) return `"${tied.name}" of shape [${tied.shape.join(', ')}] has its first dimension twice`;
  return undefined;
}

/** What the engine calls a first dimension that is open and has no name. */
const UNNAMED: TensorSpec['shape'][number] = 'dim0';

/** Items in a request: the size of the first dimension, which must be the same in all of its tensors; undefined where it is not. */
export function countItems(tensors: readonly NamedTensor[]): number | undefined {
  const [size] = tensors.map(({ shape }) => shape[0]);
  return tensors.every(({ shape }) => shape[0] === size) ? size : undefined;
}

/** Equal for requests that may be joined: the same shapes but for the first dimension, and the same outputs asked for. */
export function shapeKey(tensors: readonly NamedTensor[], outputs: readonly string[]): string {
  return JSON.stringify([tensors.map(({ shape }) => shape.slice(1)), outputs]);
}
