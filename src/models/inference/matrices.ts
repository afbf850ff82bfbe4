import { broadcast } from './elementwise.ts';
import { type Inferred, intAttribute, type Operator, product } from './operator.ts';

/** [.., m, k] x [.., k, n], the leading dimensions broadcast; a vector counts as a row on the left and as a column on the right. */
export function inferMatMul({ inputs }: Operator, rightIndex = 1): Inferred[] | undefined {
  const [left, right] = [inputs[0]?.shape, inputs[rightIndex]?.shape];
  if (left === undefined || right === undefined || left.length === 0 || right.length === 0) return undefined;
  const leading = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  if (leading === undefined || left.at(-1) !== (right.length === 1 ? right[0] : right.at(-2))) return undefined;
  const rows = left.length === 1 ? [] : [left.at(-2) ?? 0];
  const columns = right.length === 1 ? [] : [right.at(-1) ?? 0];
  return [{ shape: [...leading, ...rows, ...columns] }];
}

export function matMulMacs({ inputs }: Operator, [output]: readonly (Inferred | undefined)[]): number | undefined {
  return inputs[0] && output && product(output.shape) * (inputs[0].shape.at(-1) ?? 0);
}

export function inferGemm({ node, inputs }: Operator): Inferred[] | undefined {
  const [left, right] = inputs;
  if (left?.shape.length !== 2 || right?.shape.length !== 2) return undefined;
  const rows = left.shape[intAttribute(node, 'transA', 0)] ?? 0;
  const columns = right.shape[1 - intAttribute(node, 'transB', 0)] ?? 0;
  return [{ shape: [rows, columns] }];
}

export function gemmMacs({ node, inputs: [left] }: Operator, [output]: readonly (Inferred | undefined)[]) {
  return left && output && product(output.shape) * (left.shape[1 - intAttribute(node, 'transA', 0)] ?? 0);
}
