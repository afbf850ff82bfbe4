import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';

/**
 * Adds corrections to the weights and biases of a convolution or matrix product that has them for itself. Changes the model in place.
 *
 * @param corrections - of each group of filters, one after the other: (inputs of a filter, and the bias last) x filters of the group, row-major
 */
export function correctLayer(model: OnnxModel, node: NodeProto, corrections: readonly Float64Array[]): void {
  const [input = '', weightName = '', biasName = ''] = node.input;
  const { constantOf } = indexGraph(model.graph);
  const tensor = constantOf(weightName);
  const dims = tensor?.dims.map(Number) ?? [];
  const isColumn = isOperator(node, 'Gemm') && intAttribute(node, 'transB', 0) === 0;
  const filters = (isColumn ? dims[1] : dims[0]) ?? 0;
  const weights = floatsOf(tensor) ?? new Float32Array();
  const size = weights.length / filters;
  const perGroup = filters / corrections.length;
  const correctionOf = (filter: number, at: number): number =>
    corrections[Math.floor(filter / perGroup)]?.[at * perGroup + (filter % perGroup)] ?? 0;
  const corrected = weights.map((weight, index) => {
    const [filter, at] = isColumn
      ? [index % filters, Math.floor(index / filters)]
      : [Math.floor(index / size), index % size];
    return weight + correctionOf(filter, at);
  });
  const biases = floatsOf(constantOf(biasName)) ?? new Float32Array(filters);
  const newBias = biasName || `${weightName}.refitted_bias`;
  replaceTensor(model, tensorOf(weightName, 'float32', dims, corrected));
  const shifted = biases.map((bias, filter) => bias + correctionOf(filter, size));
  replaceTensor(model, tensorOf(newBias, 'float32', [filters], shifted));
  node.input = [input, weightName, newBias];
}

export function replaceTensor({ graph }: OnnxModel, tensor: OnnxModel['graph']['initializer'][number]): void {
  graph.initializer = [...graph.initializer.filter(({ name }) => name !== tensor.name), tensor];
}
