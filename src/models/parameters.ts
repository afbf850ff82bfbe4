import { type GraphProto, type NodeProto, onnxDataTypes, type TensorProto } from './onnx-schema.ts';
import { elementCount } from './tensors.ts';

/** Inputs that hold settings or statistics, not parameters, by operator. */
const settingInputs: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  ConvInteger: [2, 3],
  DequantizeLinear: [1, 2],
  MatMulInteger: [2, 3],
  Pad: [1, 2],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QuantizeLinear: [1, 2],
  Resize: [1, 2, 3],
};

/** Operators that read 32-bit integers as quantised biases; elsewhere those are indices and sizes. */
const readsQuantisedBias = new Set(['DequantizeLinear', 'QLinearConv']);

const neverParameters: readonly number[] = [onnxDataTypes.int64, onnxDataTypes.string, onnxDataTypes.bool];

/**
 * Number of parameters: elements of the constant tensors that the graph computes with, each tensor counted once.
 *
 * Counted as torchvision counts them: the weight and bias of a batch normalisation are parameters, its running mean and variance are not. Scalars, shapes, indices,
 * clipping bounds, quantisation scales and zero points are settings, and are not counted.
 */
export function countParameters(graph: GraphProto): number {
  const read = new Set<string>();
  const readAsBias = new Set<string>();
  const nodes = nodesWithin(graph);
  const tensors = constantTensors(graph);
  const foundScales = new Set(
    nodes.flatMap(({ opType, output }) => (opType === 'DynamicQuantizeLinear' ? output : [])),
  );
  const scaling = scalingNodes(nodes, tensors);
  for (const node of nodes) {
    const { opType = '', input } = node;
    // What is multiplied with a scale found while running is a scale too.
    if (opType === 'Mul' && input.some((name) => foundScales.has(name))) continue;
    if (scaling.has(node)) continue;
    for (const [index, name] of input.entries()) {
      if (!settingInputs[opType]?.includes(index)) read.add(name);
      if (readsQuantisedBias.has(opType)) readAsBias.add(name);
    }
  }
  return tensors
    .filter(({ name = '', dims, dataType = 0 }) => {
      if (dims.length === 0 || !read.has(name) || neverParameters.includes(dataType)) return false;
      return dataType !== onnxDataTypes.int32 || readAsBias.has(name);
    })
    .reduce((sum, tensor) => sum + elementCount(tensor), 0);
}

/** Nodes that do nothing but make scales of constants, or multiply 8-bit weights that were cast to floats with theirs. */
function scalingNodes(nodes: readonly NodeProto[], tensors: readonly TensorProto[]): ReadonlySet<NodeProto> {
  const bytes: readonly number[] = [onnxDataTypes.int8, onnxDataTypes.uint8];
  const integers = new Set(tensors.filter(({ dataType = 0 }) => bytes.includes(dataType)).map(({ name }) => name));
  const floats = new Set<string | undefined>();
  for (const { opType, input, output } of nodes) {
    if (!integers.has(input[0])) continue;
    if (opType === 'Cast') floats.add(output[0]);
    else if (opType === 'Gather' || opType === 'Slice') integers.add(output[0]);
  }
  const scales = new Set<string | undefined>();
  const found = new Set<NodeProto>();
  // From the last node to the first: a scale is known by what reads it.
  for (const node of nodes.toReversed()) {
    const { opType = '', input, output } = node;
    const isScaled = opType === 'Mul' && input.some((name) => floats.has(name));
    const isScale = scales.has(output[0]) && ['Gather', 'Slice', 'Mul'].includes(opType);
    if (isScaled || isScale) found.add(node);
    if (opType === 'DequantizeLinear') scales.add(input[1]);
    else if (isScaled) for (const name of input) scales.add(name);
    else if (isScale) for (const name of opType === 'Mul' ? input : input.slice(0, 1)) scales.add(name);
  }
  return found;
}

/** The nodes of a graph and of the graphs inside them. */
function nodesWithin(graph: GraphProto): NodeProto[] {
  return [...graph.node, ...innerGraphs(graph).flatMap(nodesWithin)];
}

/** Initializers and the values of `Constant` nodes, under the name that nodes read them by. */
function constantTensors(graph: GraphProto): TensorProto[] {
  const constants = graph.node.flatMap(({ opType, output: [name = ''], attribute }) =>
    opType === 'Constant' ? attribute.flatMap(({ t }) => (t === undefined ? [] : [{ ...t, name }])) : [],
  );
  return [...graph.initializer, ...constants, ...innerGraphs(graph).flatMap(constantTensors)];
}

function innerGraphs(graph: GraphProto): GraphProto[] {
  const attributes = graph.node.flatMap((node) => node.attribute);
  return attributes.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
}
