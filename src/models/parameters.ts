import { type GraphProto, onnxDataTypes, type TensorProto } from './onnx-schema.ts';
import { elementCount } from './tensors.ts';

/** Inputs that hold settings or statistics, not parameters, by operator. */
const settingInputs: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  DequantizeLinear: [1, 2],
  Pad: [1, 2],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QuantizeLinear: [1, 2],
  Resize: [1, 2, 3],
};

const neverParameters: readonly number[] = [onnxDataTypes.int64, onnxDataTypes.string, onnxDataTypes.bool];

/**
 * Number of parameters: elements of the constant tensors that the graph computes with, each tensor counted once.
 *
 * Counted as torchvision counts them: the weight and bias of a batch normalisation are parameters, its running mean and variance are not. Scalars, shapes, indices,
 * clipping bounds, quantisation scales and zero points are settings, and are not counted.
 */
export function countParameters(graph: GraphProto): number {
  return constantTensors(graph)
    .filter((tensor) => tensor.dims.length > 0 && !neverParameters.includes(tensor.dataType ?? 0))
    .reduce((sum, tensor) => sum + elementCount(tensor), 0);
}

/** Initializers and `Constant` values that some node reads other than as a setting, in this graph and in the graphs inside its nodes. */
function constantTensors(graph: GraphProto): TensorProto[] {
  const read = new Set<string>();
  for (const { opType = '', input } of graph.node) {
    for (const [index, name] of input.entries()) {
      if (!settingInputs[opType]?.includes(index)) read.add(name);
    }
  }
  const attributes = graph.node.flatMap((node) => node.attribute);
  const innerGraphs = attributes.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
  for (const name of innerGraphs.flatMap((inner) => inner.node.flatMap((node) => node.input))) read.add(name);
  const constants = graph.node.flatMap(({ opType, output, attribute }) =>
    opType === 'Constant'
      ? attribute.flatMap(({ t }) => (t === undefined ? [] : [{ ...t, name: output[0] ?? '' }]))
      : [],
  );
  return [
    ...[...graph.initializer, ...constants].filter((tensor) => read.has(tensor.name ?? '')),
    ...innerGraphs.flatMap(constantTensors),
  ];
}
