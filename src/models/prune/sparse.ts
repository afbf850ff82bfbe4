import type { OnnxModel } from '../onnx-file.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph, namer } from '../rewrite/graph-index.ts';
import { sweep } from '../rewrite/sweep.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';

/**
 * Sets the smallest weights of each convolution and matrix product to zero, layer by layer: unstructured sparsity by magnitude. Changes the model in place.
 *
 * Nothing gets faster by it: onnxruntime's CPU kernels multiply with zeros as with any other number, and the file keeps its size unless it is compressed.
 * @param share - of each layer's weights, 0 to 1
 * @returns how many weights were set to zero
 */
export function zeroSmallest({ graph }: OnnxModel, share: number, where: string): number {
  const { constantOf } = indexGraph(graph);
  const nameFor = namer(graph);
  const sparse = new Map<string, string>();
  let zeroed = 0;
  for (const node of graph.node) {
    const [, name = ''] = node.input;
    const tensor = constantOf(name);
    const weights = isOperator(node, 'Conv', 'Gemm', 'MatMul') ? floatsOf(tensor) : undefined;
    if (tensor === undefined || weights === undefined) continue;
    if (!sparse.has(name)) {
      const count = Math.floor(share * weights.length);
      zeroLeast(weights, count);
      zeroed += count;
      sparse.set(name, nameFor(`${name}.sparse`));
      graph.initializer.push(tensorOf(sparse.get(name) ?? '', 'float32', tensor.dims.map(Number), weights));
    }
    node.input[1] = sparse.get(name) ?? name;
  }
  sweep(graph, where);
  return zeroed;
}

/** Zeroes as many weights, those of the smallest magnitudes; of equal ones the first go first. */
function zeroLeast(weights: Float32Array, count: number): void {
  const magnitudes = weights.map(Math.abs).sort();
  const limit = magnitudes[count] ?? Infinity;
  let ofLimit = count - magnitudes.indexOf(limit);
  for (const [index, weight] of weights.entries()) {
    const magnitude = Math.abs(weight);
    const isLeast = magnitude < limit || (magnitude === limit && ofLimit-- > 0);
    if (isLeast) weights[index] = 0;
  }
}
