import { intAttribute } from '../inference/operator.ts';
import type { GraphProto, NodeProto, TensorProto } from '../onnx-schema.ts';
import { floatAttribute, isOperator } from './attributes.ts';
import { indexGraph, namer } from './graph-index.ts';
import { floatsOf, tensorOf } from './tensor-values.ts';

/** What a batch normalisation in a trained network does to each channel: y = scale * x + shift. */
export interface ChannelMap {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/**
 * Folds each batch normalisation into the convolution whose output only it reads. Changes the graph in place.
 *
 * With s = gamma / sqrt(variance + epsilon) per output channel: W' = s W and b' = s (b - mean) + beta, computed in double and rounded once to float32. So the graph computes the
 * same function, and its answers differ by the rounding of the weights only (about 1e-6 of the largest activation a layer; tests hold whole networks to 1e-4 of the largest output).
 * Source: Jacob et al., arXiv 1712.05877, section 3.2.
 * @returns how many were folded
 */
export function foldBatchNorms(graph: GraphProto): number {
  const { producerOf, readersOf, constantOf, isOutput } = indexGraph(graph);
  const nameFor = namer(graph);
  const folded = new Set<NodeProto>();
  for (const norm of graph.node) {
    const conv = producerOf(norm.input[0] ?? '');
    const map = batchNormMap(norm, constantOf);
    if (map === undefined || conv === undefined || !isOperator(conv, 'Conv')) continue;
    const [between = ''] = conv.output;
    if (isOutput(between) || readersOf(between).length > 1) continue;
    const [, weightName = '', biasName = ''] = conv.input;
    const weight = constantOf(weightName);
    const bias = biasName === '' ? new Float32Array(map.scale.length) : floatsOf(constantOf(biasName));
    const weights = floatsOf(weight);
    if (weight === undefined || weights === undefined || bias === undefined || weight.dims[0] !== map.scale.length)
      continue;
    scaleRows(weights, map.scale);
    const shifted = Float32Array.from(
      bias,
      (value, channel) => at(map.scale, channel) * value + at(map.shift, channel),
    );
    // New tensors under new names: another node may read the same weights.
    const newWeight = nameFor(`${weightName}.folded`);
    const newBias = nameFor(`${biasName || weightName}.folded_bias`);
    graph.initializer.push(tensorOf(newWeight, 'float32', weight.dims.map(Number), weights));
    graph.initializer.push(tensorOf(newBias, 'float32', [shifted.length], shifted));
    conv.input = [conv.input[0] ?? '', newWeight, newBias];
    conv.output = [norm.output[0] ?? ''];
    folded.add(norm);
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
  return folded.size;
}

/** Undefined where the node is no batch normalisation, is one that trains, or reads statistics that the graph computes. */
export function batchNormMap(
  norm: NodeProto,
  constantOf: (name: string | undefined) => TensorProto | undefined,
): ChannelMap | undefined {
  if (!isOperator(norm, 'BatchNormalization') || intAttribute(norm, 'training_mode', 0) === 1) return undefined;
  if (norm.output.filter((name) => name !== '').length > 1) return undefined;
  const [gamma, beta, mean, variance] = norm.input.slice(1).map((name) => floatsOf(constantOf(name)));
  if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  const epsilon = floatAttribute(norm, 'epsilon', 1e-5);
  const scale = Float64Array.from(gamma, (value, channel) => value / Math.sqrt(at(variance, channel) + epsilon));
  const shift = Float64Array.from(beta, (value, channel) => value - at(mean, channel) * at(scale, channel));
  return { scale, shift };
}

/** Multiplies the elements of each first-dimension entry by its own factor, in place. */
function scaleRows(values: Float32Array, factors: Float64Array): void {
  const rowLength = values.length / factors.length;
  for (let index = 0; index < values.length; index++) {
    values[index] = at(values, index) * at(factors, Math.floor(index / rowLength));
  }
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}
