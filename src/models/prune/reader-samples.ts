import { createRng, deriveSeed } from '../../rng.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { floatsOf } from '../rewrite/tensor-values.ts';
import { openRunner } from '../runner.ts';
import type { ChannelNode } from './channels.ts';
import { LeastSquares } from './least-squares.ts';
import { patchReader } from './patches.ts';

/** Places of a feature map taken from one item. */
const PLACES = 16;
/** Beyond it the elimination of one layer would take minutes. */
const MOST_INPUTS = 1200;
/** Keeps inputs that are nearly the same from cancelling out with huge weights. */
const RIDGE = 1e-3;
const SEED = 1;

/** A layer's weights, and what its inputs were on samples. */
export interface ReaderSamples {
  /** X'X of its inputs and a last one that is always 1, with a ridge. */
  readonly gram: Float64Array;
  /** Inputs x outputs, the bias last. */
  readonly weights: Float64Array;
  readonly outputs: number;
  /** Inputs that one position of the channel axis makes: the size of a filter's window. */
  readonly perChannel: number;
}

/** Undefined for a layer that is too large to eliminate in, or not plain. */
export async function sampleReader(
  model: OnnxModel,
  { node, inputs, outputs }: ChannelNode,
  set: CalibrationSet,
  where: string,
): Promise<ReaderSamples | undefined> {
  const [input = '', weightName = '', biasName = ''] = node.input;
  const [output = ''] = node.output;
  const { constantOf } = indexGraph(model.graph);
  const dims = constantOf(weightName)?.dims.map(Number) ?? [];
  const reader = patchReader(node, dims);
  if (reader === undefined || reader.size > MOST_INPUTS) return undefined;
  const equations = new LeastSquares(reader.size + 1, 0);
  await using runner = await openRunner(model, where, [input, output]);
  const rng = createRng(deriveSeed(SEED, 'ranking', output));
  const patch = new Float64Array(reader.size + 1);
  for (const batch of set.batches) {
    const values = await runner.run(batch);
    const given = values.get(input) ?? batch.find(({ name }) => name === input);
    const found = values.get(output);
    if (given === undefined || found === undefined) return undefined;
    const [items = 0, , ...spatial] = found.shape;
    const places = spatial.reduce((product, size) => product * size, 1);
    for (let item = 0; item < items; item++) {
      for (let drawn = 0; drawn < Math.min(PLACES, places); drawn++) {
        reader.read(given, item, places <= PLACES ? drawn : rng.integer(0, places - 1), found, patch);
        patch[reader.size] = 1;
        equations.add(patch, []);
      }
    }
  }
  const count = outputs.length;
  const isColumn = isOperator(node, 'Gemm') && intAttribute(node, 'transB', 0) === 0;
  const values = floatsOf(constantOf(weightName)) ?? new Float32Array();
  const biases = floatsOf(constantOf(biasName));
  const weights = new Float64Array((reader.size + 1) * count);
  for (const [index, value] of values.entries()) {
    const [filter, at] = isColumn
      ? [index % count, Math.floor(index / count)]
      : [Math.floor(index / reader.size), index % reader.size];
    weights[at * count + filter] = value;
  }
  for (let filter = 0; filter < count; filter++) weights[reader.size * count + filter] = biases?.[filter] ?? 0;
  return { gram: equations.ridgedGram(RIDGE), weights, outputs: count, perChannel: reader.size / inputs.length };
}
