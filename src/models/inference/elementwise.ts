import { onnxDataTypes } from '../onnx-schema.ts';
import { type Inferred, intAttribute, type Operator, type OperatorRule } from './operator.ts';

/** The common shape of several, numpy's rule: aligned at the end, a 1 stretches. Undefined where they do not fit. */
export function broadcast(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const found = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1);
    return new Set(found).size > 1 ? undefined : (found[0] ?? 1);
  });
  return sizes.every((size) => size !== undefined) ? sizes : undefined;
}

/** Operators whose outputs all have the shape of the first input. */
export const likeFirstInput: OperatorRule = {
  infer: ({ node, inputs: [first] }) => first && node.output.map(() => ({ shape: first.shape })),
};

export const identity: OperatorRule = { infer: ({ inputs: [first] }) => first && [first] };

/** Elements stay known only as integers: what follows a cast to floats divides and rounds by other rules. */
export const cast: OperatorRule = {
  infer: ({ node, inputs: [first] }) => {
    const isInteger = ([onnxDataTypes.int32, onnxDataTypes.int64] as number[]).includes(intAttribute(node, 'to', 0));
    return first && [isInteger ? first : { shape: first.shape }];
  },
};

/** Operators over inputs of shapes that broadcast; `compute` keeps known whole numbers known. */
export function broadcasting(compute?: (left: number, right: number) => number): OperatorRule {
  return {
    infer: ({ inputs }) => {
      const shape = broadcast(inputs.flatMap((input) => (input === undefined ? [] : [input.shape])));
      return shape && [{ shape, values: compute && computeValues(inputs, compute) }];
    },
  };
}

function computeValues(inputs: Operator['inputs'], compute: (left: number, right: number) => number) {
  const [left, right] = inputs.map((input) => input?.values);
  if (left === undefined || right === undefined || Math.max(...inputs.map(rankOf)) > 1) return undefined;
  const length = Math.max(left.length, right.length);
  const at = (values: readonly number[], index: number) => values[values.length === 1 ? 0 : index] ?? 0;
  return Array.from({ length }, (_, index) => compute(at(left, index), at(right, index)));
}

function rankOf(value: Inferred | undefined): number {
  return value?.shape.length ?? 0;
}
