import { createRng, deriveSeed } from '../../rng.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';
import { openRunner } from '../runner.ts';
import type { NamedTensor } from '../types.ts';
import type { FilterPlan } from './filters.ts';
import { LeastSquares } from './least-squares.ts';
import { type PatchReader, patchReader } from './patches.ts';

/** Pull towards the weights as they were, as a share of the inputs' mean square: keeps a fit on few samples from wandering. */
const RIDGE = 1e-2;
/** Places of a feature map taken from one item. */
const PLACES = 32;
/** Beyond it the equations of one layer would take minutes. */
const MOST_INPUTS = 2400;
const SEED = 1;

export interface Refit {
  /** Layers whose weights were fitted, and layers that should have been but are too large or not plain. */
  readonly refitted: number;
  readonly skipped: number;
  /** Batch normalisations whose statistics were measured anew. */
  readonly normalizations: number;
}

/**
 * Fits the layers behind removed filters so that each gives again what it gave in the parent, as well as its remaining inputs allow. Changes the pruned model in place.
 *
 * Layer by layer in the order they run: the inputs are those that the pruned model, as fitted so far, really gives the layer, so that errors do not pile up; the targets are the
 * parent's outputs at the same places of the same items. The fit is a correction to the weights as they were, by least squares with a ridge. No labels are used.
 * Source: He et al., "Channel pruning for accelerating very deep neural networks", arXiv 1707.06168, section 3.1 (reconstruction).
 * @param plan - what was removed; its nodes are the parent's
 */
export async function refit(
  parent: OnnxModel,
  pruned: OnnxModel,
  { channels, removed }: FilterPlan,
  set: CalibrationSet,
  where: string,
): Promise<Refit> {
  const changed = new Set<string>();
  const result = { refitted: 0, skipped: 0, normalizations: 0 };
  const nodesOf = new Map(channels.nodes.map((entry) => [entry.node.output[0], entry]));
  for (const node of [...pruned.graph.node]) {
    const [output = ''] = node.output;
    const entry = nodesOf.get(output);
    const isKept = (position: number) => !removed.has(channels.channelOf(position));
    const hasLostInputs = entry?.kind === 'filters' && !entry.inputs.every(isKept);
    if (!hasLostInputs && !node.input.some((name) => changed.has(name))) continue;
    changed.add(output);
    if (entry?.kind === 'norm') {
      await measureStatistics(pruned, node, set, where);
      result.normalizations++;
    }
    if (entry?.kind !== 'filters') continue;
    const kept = [...entry.outputs.keys()].filter((index) => isKept(entry.outputs[index] ?? 0));
    const isFitted = await refitLayer({ parent, pruned, node, kept, set, where });
    if (isFitted) result.refitted++;
    else result.skipped++;
  }
  return result;
}

interface Layer {
  readonly parent: OnnxModel;
  readonly pruned: OnnxModel;
  readonly node: NodeProto;
  /** Of the parent's outputs, those that the pruned layer still has. */
  readonly kept: readonly number[];
  readonly set: CalibrationSet;
  readonly where: string;
}

async function refitLayer(layer: Layer): Promise<boolean> {
  const { parent, pruned, node, kept, set, where } = layer;
  const [input = '', weightName = '', biasName = ''] = node.input;
  const [output = ''] = node.output;
  const { constantOf } = indexGraph(pruned.graph);
  const dims = constantOf(weightName)?.dims.map(Number) ?? [];
  const reader = patchReader(node, dims);
  if (reader === undefined || reader.size > MOST_INPUTS) return false;
  const equations = new LeastSquares(reader.size + 1, kept.length);
  await using parentRunner = await openRunner(parent, where, [output]);
  await using prunedRunner = await openRunner(pruned, where, [input, output]);
  const rng = createRng(deriveSeed(SEED, 'places', output));
  for (const batch of set.batches) {
    const wanted = (await parentRunner.run(batch)).get(output);
    const values = await prunedRunner.run(batch);
    const given = values.get(input) ?? batch.find(({ name }) => name === input);
    const found = values.get(output);
    if (wanted === undefined || found === undefined || given === undefined) return false;
    addRows(equations, reader, { given, found, wanted, kept }, (last) => rng.integer(0, last));
  }
  const correction = equations.solve(RIDGE);
  const isColumn = isOperator(node, 'Gemm') && intAttribute(node, 'transB', 0) === 0;
  const weights = floatsOf(constantOf(weightName)) ?? new Float32Array();
  const fitted = weights.map((weight, index) => {
    const [filter, at] = isColumn
      ? [index % kept.length, Math.floor(index / kept.length)]
      : [Math.floor(index / reader.size), index % reader.size];
    return weight + (correction[at * kept.length + filter] ?? 0);
  });
  const biases = floatsOf(constantOf(biasName)) ?? new Float32Array(kept.length);
  const shifted = biases.map((bias, filter) => bias + (correction[reader.size * kept.length + filter] ?? 0));
  const newBias = biasName || `${weightName}.refitted_bias`;
  replace(pruned, tensorOf(weightName, 'float32', dims, fitted));
  replace(pruned, tensorOf(newBias, 'float32', [kept.length], shifted));
  node.input = [input, weightName, newBias];
  return true;
}

interface LayerValues {
  readonly given: NamedTensor;
  readonly found: NamedTensor;
  readonly wanted: NamedTensor;
  readonly kept: readonly number[];
}

/** One row for each place drawn: the patch and a 1 for the bias, and what the layer's outputs lack there. */
function addRows(
  equations: LeastSquares,
  reader: PatchReader,
  { given, found, wanted, kept }: LayerValues,
  draw: (last: number) => number,
): void {
  const [items = 0, all = 0, ...spatial] = wanted.shape;
  const places = spatial.reduce((product, size) => product * size, 1);
  const patch = new Float64Array(reader.size + 1);
  const lacking = new Float64Array(kept.length);
  for (let item = 0; item < items; item++) {
    for (let drawn = 0; drawn < Math.min(PLACES, places); drawn++) {
      const place = places <= PLACES ? drawn : draw(places - 1);
      reader.read(given, item, place, found, patch);
      patch[reader.size] = 1;
      for (const [index, filter] of kept.entries()) {
        const target = Number(wanted.data[(item * all + filter) * places + place]);
        lacking[index] = target - Number(found.data[(item * kept.length + index) * places + place]);
      }
      equations.add(patch, lacking);
    }
  }
}

/** Sets a batch normalisation's running mean and variance to those of its input over the set. */
async function measureStatistics(model: OnnxModel, node: NodeProto, set: CalibrationSet, where: string): Promise<void> {
  const [input = '', , , meanName = '', varianceName = ''] = node.input;
  await using runner = await openRunner(model, where, [input]);
  const sums: number[] = [];
  const squares: number[] = [];
  let count = 0;
  for (const batch of set.batches) {
    const values = (await runner.run(batch)).get(input);
    if (values === undefined) return;
    const [items = 0, channels = 0, ...spatial] = values.shape;
    const places = spatial.reduce((product, size) => product * size, 1);
    for (let index = 0; index < values.data.length; index++) {
      const channel = Math.floor(index / places) % channels;
      const value = Number(values.data[index]);
      sums[channel] = (sums[channel] ?? 0) + value;
      squares[channel] = (squares[channel] ?? 0) + value * value;
    }
    count += items * places;
  }
  const mean = Float32Array.from(sums, (sum) => sum / count);
  const variance = Float32Array.from(squares, (square, channel) =>
    Math.max(0, square / count - ((sums[channel] ?? 0) / count) ** 2),
  );
  replace(model, tensorOf(meanName, 'float32', [mean.length], mean));
  replace(model, tensorOf(varianceName, 'float32', [variance.length], variance));
}

function replace({ graph }: OnnxModel, tensor: OnnxModel['graph']['initializer'][number]): void {
  graph.initializer = [...graph.initializer.filter(({ name }) => name !== tensor.name), tensor];
}
