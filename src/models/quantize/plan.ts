import { intAttribute } from '../inference/operator.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import { floatAttribute, isOperator } from '../rewrite/attributes.ts';
import { type GraphIndex, indexGraph } from '../rewrite/graph-index.ts';
import { floatsOf, holdsFloats } from '../rewrite/tensor-values.ts';

/** Which nodes of a graph are to run on 8-bit integers, and which values are rounded to them on the way. */
export interface QuantizationPlan {
  /** Nodes that multiply with constant weights: Conv, Gemm, MatMul. */
  readonly weighted: ReadonlySet<NodeProto>;
  /** All nodes that run on integers, the weighted ones among them. */
  readonly quantized: ReadonlySet<NodeProto>;
  /** Activations that rounding to unsigned integers does by itself; see `isImpliedByRounding`. They are taken out of the graph. */
  readonly implied: ReadonlySet<NodeProto>;
  /** Values that get a pair of QuantizeLinear and DequantizeLinear. */
  readonly values: readonly QuantizedValue[];
}

export interface QuantizedValue {
  readonly name: string;
  /** The value whose scale and zero point it shares: its own name, or that of the value that its node only moves around or picks from. */
  readonly scaledAs: string;
  /** True where no element can be below 0: behind a ReLU. */
  readonly isNonNegative: boolean;
  /** True where every reader takes the rounded value; false where the value was made in float and float readers keep that. */
  readonly isForAllReaders: boolean;
}

/** Operators that move or pick elements: what comes out has the scale of what went in, and onnxruntime runs them on the integers themselves. */
const MOVING = ['MaxPool', 'Flatten', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze'];
/** Operators with integer kernels that give values of a range of their own. */
const COMBINING = ['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool'];

/**
 * Plans the static quantisation of a graph that `normalize` has prepared.
 *
 * A pair stands after every convolution, addition, concatenation and pooling, so that onnxruntime can fuse each of them into one integer kernel; one operator without leaves its
 * neighbours in float too. The last matrix product gives float answers where nothing quantised follows: its kernel can, and the answers are not rounded once more.
 */
export function planQuantization(graph: GraphProto): QuantizationPlan {
  const index = indexGraph(graph);
  const weighted = new Set<NodeProto>();
  const quantized = new Set<NodeProto>();
  const implied = new Set<NodeProto>();
  const isQuantizedValue = (name: string) => {
    const producer = index.producerOf(name);
    return producer !== undefined && (quantized.has(producer) || implied.has(producer));
  };
  // The nodes stand in an order in which they run, so what a node reads has been decided before it.
  for (const node of graph.node) {
    const data = node.input.filter((name) => index.constantOf(name) === undefined);
    if (hasConstantWeights(node, index)) {
      weighted.add(node);
      quantized.add(node);
    } else if (isOperator(node, ...MOVING) && isQuantizedValue(node.input[0] ?? '')) quantized.add(node);
    else if (isOperator(node, ...COMBINING) && data.length === node.input.length && data.some(isQuantizedValue)) {
      quantized.add(node);
    } else if (isImpliedByRounding(node, index) && canRound(index.producerOf(node.input[0] ?? ''), quantized)) {
      implied.add(node);
    }
  }
  return { weighted, quantized, implied, values: valuesToRound(graph, index, { weighted, quantized, implied }) };
}

type Decided = Pick<QuantizationPlan, 'weighted' | 'quantized' | 'implied'>;

function valuesToRound(graph: GraphProto, index: GraphIndex, decided: Decided): QuantizedValue[] {
  const { weighted, quantized, implied } = decided;
  const scaledAs = new Map<string, string>();
  const values: QuantizedValue[] = [];
  const reads = (name: string) =>
    index.readersOf(name).filter((node) => quantized.has(node) && readsAsData(node, name));
  const add = (name: string, source: NodeProto | undefined) => {
    const isMoved = source !== undefined && quantized.has(source) && isOperator(source, ...MOVING);
    const origin = isMoved ? (scaledAs.get(source.input[0] ?? '') ?? name) : name;
    scaledAs.set(name, origin);
    const isForAllReaders = source !== undefined && (quantized.has(source) || implied.has(source));
    const isNonNegative = source !== undefined && (implied.has(source) || isOperator(source, 'Relu'));
    values.push({ name, scaledAs: origin, isNonNegative, isForAllReaders });
  };
  for (const { name = '' } of graph.input) if (reads(name).length > 0) add(name, undefined);
  for (const node of graph.node) {
    const [output = ''] = node.output;
    const followers = index.readersOf(output);
    // What an implied activation takes over is rounded behind it, once.
    if (followers.some((reader) => implied.has(reader))) continue;
    const isAlwaysRounded = implied.has(node) || (quantized.has(node) && !isMatrixProduct(node, weighted));
    if (isAlwaysRounded || reads(output).length > 0) add(output, node);
  }
  return values;
}

/** A shape or the weights are inputs too, but not data. */
function readsAsData(node: NodeProto, name: string): boolean {
  return isOperator(node, ...COMBINING) ? node.input.includes(name) : node.input[0] === name;
}

function isMatrixProduct(node: NodeProto, weighted: ReadonlySet<NodeProto>): boolean {
  return weighted.has(node) && isOperator(node, 'Gemm', 'MatMul');
}

function hasConstantWeights(node: NodeProto, { constantOf }: GraphIndex): boolean {
  const [, weightName, biasName] = node.input;
  const hasFloatBias = !biasName || holdsFloats(constantOf(biasName));
  if (isOperator(node, 'Conv')) return holdsFloats(constantOf(weightName)) && hasFloatBias;
  return isConstantMatrixProduct(node, constantOf);
}

/** Whether a node multiplies its input with a constant float32 matrix, and adds at most a constant row. */
export function isConstantMatrixProduct(node: NodeProto, constantOf: GraphIndex['constantOf']): boolean {
  const [, weightName, biasName] = node.input;
  const weight = constantOf(weightName);
  if (!holdsFloats(weight) || weight.dims.length !== 2) return false;
  if (isOperator(node, 'MatMul')) return true;
  const bias = constantOf(biasName || undefined);
  const columns = weight.dims[intAttribute(node, 'transB', 0) === 1 ? 0 : 1];
  const isRowBias = !biasName || (holdsFloats(bias) && bias.dims.length === 1 && bias.dims[0] === columns);
  const isPlain = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1;
  return isOperator(node, 'Gemm') && isRowBias && isPlain && intAttribute(node, 'transA', 0) === 0;
}

/**
 * Whether a node is a ReLU or a Clip from 0 that reads a value nobody else does.
 *
 * Rounding to an unsigned 8-bit integer with zero point 0 gives 0 for all below 0, and the largest integer for all above the scale's end, which is never set above a Clip's end.
 * So rounding what comes before gives the same integers as rounding what comes after, and onnxruntime fuses what stands before with the rounding.
 */
function isImpliedByRounding(node: NodeProto, { constantOf, readersOf, isOutput }: GraphIndex): boolean {
  const [source = '', low] = node.input;
  if (readersOf(source).length > 1 || isOutput(source)) return false;
  return isOperator(node, 'Relu') || (isOperator(node, 'Clip') && floatsOf(constantOf(low))?.[0] === 0);
}

/** Whether a node may be rounded by itself before its activation: not where it shares the scale of what it reads. */
function canRound(node: NodeProto | undefined, quantized: ReadonlySet<NodeProto>): boolean {
  return node !== undefined && quantized.has(node) && !isOperator(node, ...MOVING);
}
