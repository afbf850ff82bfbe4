import { createRng, deriveSeed } from '../../rng.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { tensorOf } from '../rewrite/tensor-values.ts';
import { openRunner } from '../runner.ts';
import type { NamedTensor } from '../types.ts';
import type { FilterPlan } from './filters.ts';
import { correctLayer, replaceTensor } from './layer-weights.ts';
import { LeastSquares } from './least-squares.ts';
import { type PatchReader, patchReader } from './patches.ts';

/** Pull towards the weights as they were, as a share of the inputs' mean square: keeps a fit on few samples from wandering. */
const RIDGE = 1e-2;
/** Places of a feature map taken from one item. */
const PLACES = 32;
/** Fits of a layer behind which a ReLU stands, but for a quick look. */
const ROUNDS = 3;
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
 * parent's outputs at the same places of the same items. The last layer before an addition is fitted to the sum, so that it makes up for the other part too, and behind a ReLU all
 * below 0 counts as the same. The fit is a correction to the weights as they were, by least squares with a ridge. No labels are used.
 * Sources: He et al., "Channel pruning for accelerating very deep neural networks", arXiv 1707.06168, sections 3.1 (reconstruction) and 3.4 (multi-branch networks); Zhang et al.,
 * "Accelerating very deep convolutional networks for classification and detection", arXiv 1505.06798, section 3.2 (the nonlinear case).
 * @param plan - what was removed; its nodes are the parent's
 * @param which - all layers whose inputs have changed, or, for a quick look, only those that read removed channels
 */
export async function refit(
  parent: OnnxModel,
  pruned: OnnxModel,
  { channels, removed }: FilterPlan,
  set: CalibrationSet,
  where: string,
  which: 'all' | 'readers' = 'all',
): Promise<Refit> {
  const rounds = which === 'all' ? ROUNDS : 1;
  const changed = new Set<string>();
  const result = { refitted: 0, skipped: 0, normalizations: 0 };
  const nodesOf = new Map(channels.nodes.map((entry) => [entry.node.output[0], entry]));
  for (const node of [...pruned.graph.node]) {
    const [output = ''] = node.output;
    const entry = nodesOf.get(output);
    const isKept = (position: number) => !removed.has(channels.channelOf(position));
    const hasLostInputs = entry?.kind === 'filters' && !entry.inputs.every(isKept);
    if (!hasLostInputs && (which === 'readers' || !node.input.some((name) => changed.has(name)))) continue;
    changed.add(output);
    if (entry?.kind === 'norm') {
      await measureStatistics(pruned, node, set, where);
      result.normalizations++;
    }
    if (entry === undefined || entry.kind === 'norm') continue;
    const kept = [...entry.outputs.keys()].filter((index) => isKept(entry.outputs[index] ?? 0));
    const groups = entry.kind === 'depthwise' ? kept.length : 1;
    const isFitted = await refitLayer({ parent, pruned, node, kept, groups, rounds, set, where });
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
  /** 1, or as many as outputs where each filter reads one channel. */
  readonly groups: number;
  /** Fits, if a ReLU stands behind it. */
  readonly rounds: number;
  readonly set: CalibrationSet;
  readonly where: string;
}

/** False for a layer that is too large to fit, or not plain. */
async function refitLayer(layer: Layer): Promise<boolean> {
  const { pruned, node } = layer;
  const dims = indexGraph(pruned.graph).constantOf(node.input[1])?.dims.map(Number) ?? [];
  const reader = patchReader(node, dims);
  if (reader === undefined || reader.size > MOST_INPUTS) return false;
  const target = targetOf(pruned, node);
  // What is below 0 behind a ReLU is known only once the fit is: it starts from the fit before it.
  let equations: LeastSquares[] | undefined;
  for (let round = 0; round < (target.isRectified ? layer.rounds : 1); round++) {
    equations = await collect(layer, reader, target, equations);
    if (equations === undefined) return false;
    correctLayer(
      pruned,
      node,
      equations.map((each) => each.solve(RIDGE)),
    );
  }
  return true;
}

interface Target {
  /** The value whose difference from the parent's is fitted away. */
  readonly value: string;
  /** Whether nothing but ReLUs read it, so that all below 0 is the same. */
  readonly isRectified: boolean;
}

/** What a layer is to give: its output, or the sum that its output goes into if the other part was made before. */
function targetOf({ graph }: OnnxModel, node: NodeProto): Target {
  const { readersOf } = indexGraph(graph);
  const outputs = new Set(graph.output.map(({ name }) => name));
  const [output = ''] = node.output;
  const [sum, ...others] = readersOf(output);
  const later = graph.node.slice(graph.node.indexOf(node));
  const isLast = sum?.input.every((name) => name === output || later.every((each) => !each.output.includes(name)));
  const hasSum = sum !== undefined && others.length === 0 && isOperator(sum, 'Add') && isLast && !outputs.has(output);
  const value = hasSum ? (sum.output[0] ?? '') : output;
  const readers = readersOf(value);
  const isRectified = readers.length > 0 && readers.every((each) => isOperator(each, 'Relu')) && !outputs.has(value);
  return { value, isRectified };
}

/**
 * The normal equations of each group; undefined where a value is not to be had.
 *
 * @param before - those of the round before: what the layer reads is the same, and what its outputs lack is another
 */
async function collect(
  layer: Layer,
  reader: PatchReader,
  target: Target,
  before: readonly LeastSquares[] | undefined,
): Promise<LeastSquares[] | undefined> {
  const { parent, pruned, node, kept, groups, set, where } = layer;
  const [input = ''] = node.input;
  const [output = ''] = node.output;
  await using parentRunner = await openRunner(parent, where, [target.value]);
  await using prunedRunner = await openRunner(pruned, where, [input, target.value]);
  const equations = Array.from(
    { length: groups },
    (_, group) => new LeastSquares(reader.size + 1, kept.length / groups, before?.[group]),
  );
  const rng = createRng(deriveSeed(SEED, 'places', output));
  for (const batch of set.batches) {
    const wanted = (await parentRunner.run(batch)).get(target.value);
    const values = await prunedRunner.run(batch);
    const given = values.get(input) ?? batch.find(({ name }) => name === input);
    const found = values.get(target.value);
    if (wanted === undefined || found === undefined || given === undefined) return undefined;
    addRows(equations, reader, { given, found, wanted, kept, ...target }, (last) => rng.integer(0, last));
  }
  return equations;
}

interface LayerValues extends Target {
  readonly given: NamedTensor;
  readonly found: NamedTensor;
  readonly wanted: NamedTensor;
  readonly kept: readonly number[];
}

/** One row for each place drawn: the patch and a 1 for the bias, and what the layer's outputs lack there. */
function addRows(
  equations: readonly LeastSquares[],
  reader: PatchReader,
  { given, found, wanted, kept, isRectified }: LayerValues,
  draw: (last: number) => number,
): void {
  const [items = 0, all = 0, ...spatial] = wanted.shape;
  const places = spatial.reduce((product, size) => product * size, 1);
  const patch = new Float64Array(reader.size + 1);
  const lackingAt = (item: number, place: number, index: number): number => {
    const target = Number(wanted.data[(item * all + (kept[index] as number)) * places + place]);
    const value = Number(found.data[(item * kept.length + index) * places + place]);
    return (isRectified && target < 0 ? Math.min(value, 0) : target) - value;
  };
  for (let item = 0; item < items; item++) {
    for (let drawn = 0; drawn < Math.min(PLACES, places); drawn++) {
      const place = places <= PLACES ? drawn : draw(places - 1);
      for (const [group, each] of equations.entries()) {
        reader.read(given, item, place, found, patch, group);
        patch[reader.size] = 1;
        each.add(
          patch,
          Float64Array.from({ length: each.outputs }, (_, index) =>
            lackingAt(item, place, group * each.outputs + index),
          ),
        );
      }
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
  replaceTensor(model, tensorOf(meanName, 'float32', [mean.length], mean));
  replaceTensor(model, tensorOf(varianceName, 'float32', [variance.length], variance));
}
