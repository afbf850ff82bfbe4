import { ModelError } from '../../errors.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { convolveNorms } from '../rewrite/norm-to-conv.ts';
import { requireOpset } from '../rewrite/normalize.ts';
import { shortenNames } from '../rewrite/shorten-names.ts';
import { sweep } from '../rewrite/sweep.ts';
import { floatsOf } from '../rewrite/tensor-values.ts';
import { type CalibrationSet, calibrate } from './calibrate.ts';
import { planQuantization, type QuantizationPlan } from './plan.ts';
import { QdqWriter } from './qdq-writer.ts';
import type { CalibrationMethod, Range } from './ranges.ts';
import { activationScale, quantizeWeights, type Scale } from './scales.ts';
import { storeAsIntegers } from './stored.ts';

export interface StaticQuantization {
  readonly set: CalibrationSet;
  readonly method: CalibrationMethod;
}

/**
 * Rounds a model to 8-bit integers ahead of time: int8 weights with a scale per output channel, uint8 activations with a scale per value, int32 biases.
 *
 * The graph is written in QDQ form: each rounded value is followed by QuantizeLinear and DequantizeLinear, which onnxruntime fuses with the operators between them into integer
 * kernels. Activations are uint8 and weights int8, the form whose products VNNI instructions add four at a time. Weights without an integer kernel are stored as integers where that can be; see
 * `storeAsIntegers`. Changes the model in place; it must have been normalised.
 * @returns how many tensors are integers in the file only
 * @throws ModelError if the operator set is too old, or nothing can be rounded
 */
export async function quantizeStatic(
  model: OnnxModel,
  where: string,
  { set, method }: StaticQuantization,
): Promise<number> {
  requireOpset(model, 13, 'quantisation with a scale per channel', where);
  convolveNorms(model, where);
  const plan = planQuantization(model.graph);
  const watched = [...new Set(plan.values.map(({ scaledAs }) => scaledAs))];
  const ranges = await calibrate(model, where, watched, set, method);
  rewrite(model.graph, plan, scalesOf(plan, ranges));
  const stored = storeAsIntegers(model.graph);
  if (plan.weighted.size + stored === 0) {
    throw new ModelError({
      where,
      what: 'the model has no convolution, matrix product, recurrent layer or table of rows with constant float32 weights, so there is nothing to quantise',
      hint: 'Give the float32 form of the model.',
    });
  }
  sweep(model.graph, where);
  shortenNames(model.graph);
  return stored;
}

function scalesOf(plan: QuantizationPlan, ranges: ReadonlyMap<string, Range>): ReadonlyMap<string, Scale> {
  const ownScale = new Map([...ranges].map(([name, range]) => [name, activationScale(range)]));
  return new Map(plan.values.map(({ name, scaledAs }) => [name, ownScale.get(scaledAs) as Scale]));
}

function rewrite(graph: GraphProto, plan: QuantizationPlan, scales: ReadonlyMap<string, Scale>): void {
  const { producerOf } = indexGraph(graph);
  // Looked up before any value is renamed.
  const inputScales = new Map([...plan.weighted].map((node) => [node, scales.get(node.input[0] ?? '') as Scale]));
  // An implied activation goes: the node before it gives its value.
  for (const activation of plan.implied) {
    const source = producerOf(activation.input[0] ?? '') as NodeProto;
    source.output = [activation.output[0] ?? ''];
  }
  graph.node = graph.node.filter((node) => !plan.implied.has(node));
  const writer = new QdqWriter(graph);
  roundValues(graph, plan, scales, writer);
  for (const [node, { scale }] of inputScales) roundWeights(node, scale, writer);
  graph.node.push(...writer.nodes);
}

/** Puts a pair behind every planned value, and lets its readers read the rounded one. */
function roundValues(
  graph: GraphProto,
  plan: QuantizationPlan,
  scales: ReadonlyMap<string, Scale>,
  writer: QdqWriter,
): void {
  const { isOutput } = indexGraph(graph);
  const rounded = new Map<string, string>();
  const beforeRounding = new Map<string, string>();
  const isForAllReaders = new Set(plan.values.filter((value) => value.isForAllReaders).map(({ name }) => name));
  for (const { name } of plan.values) {
    const scale = scales.get(name) as Scale;
    if (isOutput(name)) {
      // An output of the model keeps its name, so what is before the rounding gets another.
      beforeRounding.set(name, writer.pair(name, writer.nameFor(`${name}.float`), scale, name));
      rounded.set(name, name);
    } else rounded.set(name, writer.pair(name, name, scale));
  }
  for (const node of graph.node) {
    const isReader = (name: string) => plan.quantized.has(node) || isForAllReaders.has(name);
    node.input = node.input.map((name) => (isReader(name) ? (rounded.get(name) ?? name) : name));
    node.output = node.output.map((name) => beforeRounding.get(name) ?? name);
  }
}

/** Replaces a node's weights and bias by integers with their scales. */
function roundWeights(node: NodeProto, inputScale: number, writer: QdqWriter): void {
  const { constantOf } = writer;
  const [activation = '', weightName = '', biasName = ''] = node.input;
  const dims = (constantOf(weightName)?.dims ?? []).map(Number);
  const weights = floatsOf(constantOf(weightName)) as Float32Array;
  const biases = floatsOf(constantOf(biasName));
  const isRowPerChannel = isOperator(node, 'Conv') || intAttribute(node, 'transB', 0) === 1;
  const axis = isRowPerChannel ? 0 : dims.length - 1;
  const rounded = quantizeWeights(weights, dims, axis, biases, inputScale);
  const { result, scales } = writer.weights(weightName, dims, rounded, axis, !isOperator(node, 'Conv'));
  node.input = [activation, result];
  if (biases === undefined) return;
  const steps = rounded.scales.map((scale) => scale * inputScale);
  const integers = Int32Array.from(biases, (bias, channel) => Math.round(bias / (steps[channel] ?? 1)));
  node.input.push(writer.bias(biasName, integers, inputScale, scales));
}
