import { ModelError } from '../../errors.ts';
import { toFloat16Bits } from '../../float16.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { attributeTypes, type GraphProto, type NodeProto, onnxDataTypes, type TensorProto } from '../onnx-schema.ts';
import { createNode, isOperator } from '../rewrite/attributes.ts';
import { innerGraphs, namer } from '../rewrite/graph-index.ts';
import { requireOpset } from '../rewrite/normalize.ts';
import { sweep } from '../rewrite/sweep.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';

/** Operators that take float16 wherever they take float32. One that is not listed may have inputs that must stay float32, so it is refused and nothing is guessed. */
const TAKES_FLOAT16 = new Set(
  (
    'Abs Add AveragePool BatchNormalization Cast Ceil Clip Concat ConstantOfShape Conv ConvTranspose Div Dropout Elu Equal Erf Exp Expand Flatten Floor Gather Gemm ' +
    'GlobalAveragePool GlobalMaxPool Greater HardSigmoid HardSwish Identity InstanceNormalization LSTM GRU LayerNormalization LeakyRelu Less Log LogSoftmax MatMul Max MaxPool Mean ' +
    'Min Mul Neg Not PRelu Pad Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Shape Sigmoid Sign Slice Softmax Softplus Split Sqrt Squeeze Sub Sum ' +
    'Tanh Transpose Unsqueeze Where'
  ).split(' '),
);

/**
 * Stores and computes a model in float16. Inputs and outputs stay float32, cast at the borders. Changes the model in place; it must have been normalised.
 *
 * Half the file. On x86 processors onnxruntime has next to no float16 kernels and casts around each operator, so it is no faster there and can be slower.
 * @throws ModelError if an operator is not known to take float16, or a weight is too large for it
 */
export function convertToFloat16(model: OnnxModel, where: string): void {
  requireOpset(model, 13, 'float16', where);
  const { graph } = model;
  const unknown = graph.node.find((node) => !isOperator(node, ...TAKES_FLOAT16) || innerGraphs(node).length > 0);
  if (unknown !== undefined) {
    throw new ModelError({
      where,
      what: `the model has a node of type ${unknown.opType}, which is not known to take float16 throughout`,
      hint: 'Use int8-static or int8-dynamic, or convert the model where it was trained.',
    });
  }
  graph.initializer = graph.initializer.map((tensor) => toHalf(tensor, where));
  for (const node of graph.node) halveAttributes(node, where);
  castBorders(graph);
  sweep(graph, where);
}

function halveAttributes(node: NodeProto, where: string): void {
  for (const attribute of node.attribute) {
    if (attribute.type === attributeTypes.tensor && attribute.t !== undefined) attribute.t = toHalf(attribute.t, where);
    const isCastToFloat = isOperator(node, 'Cast') && attribute.name === 'to' && attribute.i === onnxDataTypes.float32;
    if (isCastToFloat) attribute.i = onnxDataTypes.float16;
  }
}

function castBorders(graph: GraphProto): void {
  const nameFor = namer(graph);
  const isFloat = ({ type }: GraphProto['input'][number]) => type?.tensorType?.elemType === onnxDataTypes.float32;
  const casts: NodeProto[] = [];
  const inside = new Map<string, string>();
  const cast = (from: string, to: string, type: number) =>
    casts.push(createNode('Cast', '', [from], [to], { to: type }));
  for (const { name = '' } of graph.output.filter(isFloat)) {
    inside.set(name, nameFor(`${name}.half`));
    cast(inside.get(name) ?? '', name, onnxDataTypes.float32);
  }
  for (const { name = '' } of graph.input.filter(isFloat)) {
    inside.set(name, nameFor(`${name}.half`));
    cast(name, inside.get(name) ?? '', onnxDataTypes.float16);
  }
  for (const node of graph.node) {
    node.input = node.input.map((name) => inside.get(name) ?? name);
    node.output = node.output.map((name) => inside.get(name) ?? name);
  }
  graph.node.push(...casts);
}

function toHalf(tensor: TensorProto, where: string): TensorProto {
  const values = floatsOf(tensor);
  if (values === undefined) return tensor;
  const bits = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    bits[index] = toFloat16Bits(value);
    if (Number.isFinite(value) && isInfinite(bits[index] ?? 0)) {
      throw new ModelError({
        where,
        what: `the tensor "${tensor.name ?? ''}" holds ${value}, which float16 cannot (its largest number is 65504)`,
        hint: 'Use int8-static or int8-dynamic instead.',
      });
    }
  }
  return tensorOf(tensor.name ?? '', 'float16', tensor.dims.map(Number), bits);
}

function isInfinite(bits: number): boolean {
  return (bits & 0x7fff) === 0x7c00;
}
