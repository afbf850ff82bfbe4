import { ModelError } from '../../errors.ts';
import { countCost } from '../cost.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { type GraphProto, type NodeProto, onnxDataTypes } from '../onnx-schema.ts';
import { createNode, isOperator } from '../rewrite/attributes.ts';
import { indexGraph, namer } from '../rewrite/graph-index.ts';
import { requireOpset } from '../rewrite/normalize.ts';
import { shortenNames } from '../rewrite/shorten-names.ts';
import { sweep } from '../rewrite/sweep.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';
import { elementCount } from '../tensors.ts';
import { isConstantMatrixProduct } from './plan.ts';
import { quantizeWeights } from './scales.ts';
import { storeAsIntegers } from './stored.ts';

/** Where matrix products have less than this share of a model's weights, and of its multiply-adds, rounding them on the fly gains nothing worth a variant. */
const SMALLEST_SHARE = 0.1;

export interface DynamicQuantization {
  /** Matrix products that run on integers. */
  readonly products: number;
  /** Tensors that are integers in the file only; see `storeAsIntegers`. */
  readonly stored: number;
}

/**
 * Rounds the weights of matrix products to int8 ahead of time, and their inputs to uint8 as they come, each by its own range. No calibration is needed.
 *
 * Convolutions stay in float: onnxruntime's integer convolution without known output scales is slower than its float one. So this is for models of matrix products, as transformers
 * are, and for the size of models whose weights mostly stand in them. Changes the model in place; it must have been normalised.
 * @throws ModelError if the operator set is too old, or matrix products have less than a tenth of the weights and of the multiply-adds
 */
export function quantizeDynamic(model: OnnxModel, where: string): DynamicQuantization {
  requireOpset(model, 11, 'dynamic quantisation', where);
  const { graph } = model;
  const { constantOf } = indexGraph(graph);
  const products = graph.node.filter((node) => isConstantMatrixProduct(node, constantOf));
  const rounded = products.reduce((sum, { input }) => sum + elementCount(constantOf(input[1]) ?? { dims: [0] }), 0);
  const floats = graph.initializer.filter(({ dataType }) => dataType === onnxDataTypes.float32);
  const weightShare = rounded / floats.reduce((sum, tensor) => sum + elementCount(tensor), 1);
  if (products.length === 0 || Math.max(weightShare, productShare(model, where)) < SMALLEST_SHARE) {
    throw new ModelError({
      where,
      what: `int8-dynamic would round ${(100 * weightShare).toFixed(0)} % of the model's weights: it rounds matrix products, and this model is made of other operators`,
      hint: 'Use int8-static, which rounds convolutions too.',
    });
  }
  const nameFor = namer(graph);
  const replacements = new Map(products.map((node) => [node, roundProduct(graph, node, nameFor)]));
  graph.node = graph.node.flatMap((node) => replacements.get(node) ?? [node]);
  const stored = storeAsIntegers(graph);
  sweep(graph, where);
  shortenNames(graph);
  return { products: products.length, stored };
}

/** Share of the model's multiply-adds in matrix products; 0 where it is not known. */
function productShare(model: OnnxModel, where: string): number {
  const { macs, layers } = countCost(model, where);
  const products = layers.filter(({ opType }) => opType === 'Gemm' || opType === 'MatMul');
  return macs ? products.reduce((sum, layer) => sum + (layer.macs ?? 0), 0) / macs : 0;
}

/** The nodes that take a product's place: the form that onnxruntime fuses into one kernel. */
function roundProduct(graph: GraphProto, node: NodeProto, nameFor: (wish: string) => string): NodeProto[] {
  const { constantOf } = indexGraph(graph);
  const [activation = '', weightName = '', biasName = ''] = node.input;
  const [output = ''] = node.output;
  const { values, dims } = columnsLast(
    node,
    constantOf(weightName)?.dims.map(Number) ?? [],
    floatsOf(constantOf(weightName)),
  );
  const { values: integers, scales } = quantizeWeights(values, dims, 1, undefined, 1);
  const add = (suffix: string) => nameFor(`${weightName}.${suffix}`);
  const [weight, weightScale] = [add('q'), add('scales')];
  graph.initializer.push(
    tensorOf(weight, 'int8', dims, integers),
    tensorOf(weightScale, 'float32', [scales.length], scales),
  );
  const part = (suffix: string) => nameFor(`${output}.${suffix}`);
  const [quantized, scale, zero, product, float, steps] = [
    part('q'),
    part('scale'),
    part('zero'),
    part('int32'),
    part('steps'),
    part('scale_product'),
  ] as [string, string, string, string, string, string];
  const scaled = biasName === '' ? output : part('scaled');
  const cast = createNode('Cast', '', [product], [float], { to: onnxDataTypes.float32 });
  const nodes = [
    createNode('DynamicQuantizeLinear', '', [activation], [quantized, scale, zero]),
    createNode('MatMulInteger', '', [quantized, weight, zero], [product]),
    cast,
    createNode('Mul', '', [scale, weightScale], [steps]),
    createNode('Mul', '', [float, steps], [scaled]),
  ];
  if (biasName !== '') nodes.push(createNode('Add', '', [scaled, biasName], [output]));
  return nodes;
}

/** Weights as [inputs, outputs]. */
function columnsLast(node: NodeProto, dims: readonly number[], values: Float32Array = new Float32Array()) {
  const [rows = 0, columns = 0] = dims;
  if (!isOperator(node, 'Gemm') || intAttribute(node, 'transB', 0) === 0) return { values, dims };
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column] ?? 0;
  }
  return { values: turned, dims: [columns, rows] };
}
