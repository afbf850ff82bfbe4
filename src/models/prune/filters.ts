import { ModelError } from '../../errors.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { intAttributeOf, isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { sweep } from '../rewrite/sweep.ts';
import { floatsOf, tensorOf } from '../rewrite/tensor-values.ts';
import { type ChannelNode, type Channels, traceChannels } from './channels.ts';

export interface FilterPlan {
  readonly channels: Channels;
  /** Channels to remove. */
  readonly removed: ReadonlySet<number>;
}

/**
 * Chooses which channels go: in each layer, or set of layers tied by additions, the given share of those whose filters have the smallest L1 norms.
 *
 * Where several layers make a channel together, each filter's norm counts as a share of its layer's mean, so that layers of different sizes have equal say. The channels kept are
 * a multiple of 4, or of 16 in large layers with a depthwise convolution among them, but in layers too small for that: onnxruntime has blocked kernels only for those, and without them a
 * graph of half the multiply-adds can be the slower one. So the share of a layer may be off by half a block.
 * Source: Li et al., "Pruning filters for efficient ConvNets", arXiv 1608.08710.
 * @param share - 0 to 1
 * @throws ModelError if no channel can be removed
 */
export function planFilters(model: OnnxModel, share: number, where: string): FilterPlan {
  const channels = traceChannels(model, where);
  const { constantOf } = indexGraph(model.graph);
  const importance = new Map<number, number>();
  for (const entry of channels.nodes) {
    if (entry.kind !== 'filters') continue;
    const norms = filterNorms(entry, floatsOf(constantOf(entry.node.input[1])) ?? new Float32Array());
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length || 1;
    for (const [filter, position] of entry.outputs.entries()) {
      const channel = channels.channelOf(position);
      importance.set(channel, (importance.get(channel) ?? 0) + (norms[filter] ?? 0) / mean);
    }
  }
  const removed = groupLayers(channels).flatMap((layer) => {
    const byImportance = layer.channels.toSorted(
      (a, b) => (importance.get(a) ?? 0) - (importance.get(b) ?? 0) || a - b,
    );
    return byImportance.slice(0, layer.channels.length - keptCount(layer, share));
  });
  return checkedPlan({ channels, removed: new Set(removed) }, share, where);
}

/** @throws ModelError if no channel is to be removed */
export function checkedPlan(plan: FilterPlan, share: number, where: string): FilterPlan {
  if (plan.removed.size > 0) return plan;
  throw new ModelError({
    where,
    what: `no filter of the model can be removed at ${Math.round(100 * share)} %`,
    hint: 'Filters whose channels reach an output, or an operator that dse cannot follow, must stay. Try a larger share.',
  });
}

/** The plan for a share of the filters, 0 to 1; a larger share removes all that a smaller one does. */
export type FilterPlanner = (share: number) => FilterPlan;

/** A set of channels that the same filters make, all of them removable. */
export interface FilterLayer {
  readonly channels: readonly number[];
  /** Filters that make each of the channels: more than one where additions tie layers. */
  readonly makers: number;
  readonly isDepthwise: boolean;
}

/** The removable channels of a network, by the filters that make them. */
export function groupLayers(channels: Channels): FilterLayer[] {
  const makers = new Map<number, Set<number>>();
  for (const [index, { kind, outputs }] of channels.nodes.entries()) {
    if (kind !== 'filters') continue;
    for (const position of outputs) {
      const channel = channels.channelOf(position);
      makers.set(channel, (makers.get(channel) ?? new Set()).add(index));
    }
  }
  const layers = new Map<string, number[]>();
  for (const [channel, indices] of makers) {
    const key = [...indices].join();
    if (channels.isRemovable(channel)) layers.set(key, [...(layers.get(key) ?? []), channel]);
  }
  const depthwise = new Set(
    channels.nodes.flatMap(({ kind, outputs }) => (kind === 'depthwise' ? outputs.map(channels.channelOf) : [])),
  );
  return [...layers].map(([key, own]) => ({
    channels: own,
    makers: key.split(',').length,
    isDepthwise: own.some((channel) => depthwise.has(channel)),
  }));
}

/**
 * Channels that go together, for the sake of fast kernels; 1 in a layer so small that blocks would leave no choice, and whose share of the work is small as well.
 *
 * A depthwise convolution over a channel count that is no multiple of 4 is about three times as slow as one over the next larger multiple (benchmarks/depthwise-channels.ts), so only the
 * smallest layers before one give single filters.
 */
export function blockOf({ channels: { length }, isDepthwise }: FilterLayer): number {
  if (isDepthwise) return length >= 96 ? 16 : length >= 8 ? 4 : 1;
  return length >= 64 ? 4 : 1;
}

/** At least one block. */
function keptCount(layer: FilterLayer, share: number): number {
  const [count, block] = [layer.channels.length, blockOf(layer)];
  const kept = Math.round(((1 - share) * count) / block) * block;
  return Math.min(count, Math.max(block, kept));
}

/** Removes the planned channels from all weights that hold them. Changes the model, the one planned for or a copy of it, in place, and leaves an ordinary, smaller graph. */
export function removeFilters({ graph }: OnnxModel, { channels, removed }: FilterPlan, where: string): void {
  const { constantOf } = indexGraph(graph);
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const keptOf = (positions: readonly number[]) =>
    [...positions.keys()].filter((index) => !removed.has(channels.channelOf(positions[index] ?? 0)));
  const nodes = new Map(graph.node.map((node) => [node.output[0], node]));
  for (const { node: planned, kind, inputs, outputs } of channels.nodes) {
    const node = nodes.get(planned.output[0]);
    if (node === undefined) continue;
    const [kept, keptInputs] = [keptOf(outputs), keptOf(inputs)];
    if (kept.length === outputs.length && keptInputs.length === inputs.length) continue;
    const isTransposed = isOperator(node, 'Gemm') && intAttribute(node, 'transB', 0) === 0;
    for (const [index, name] of node.input.entries()) {
      const tensor = index === 0 ? undefined : constantOf(name);
      const values = floatsOf(tensor);
      if (tensor === undefined || values === undefined) continue;
      const dims = tensor.dims.map(Number);
      const isMatrix = kind === 'filters' && index === 1;
      const axes = isMatrix ? (isTransposed ? [keptInputs, kept] : [kept, keptInputs]) : [kept];
      const cut = axes.reduce((part, keep, axis) => takeAlong(part.values, part.dims, axis, keep), { values, dims });
      tensors.set(name, tensorOf(name, 'float32', cut.dims, cut.values));
    }
    if (kind === 'depthwise') {
      const others = node.attribute.filter((attribute) => attribute.name !== 'group');
      node.attribute = [...others, intAttributeOf('group', kept.length)];
    }
  }
  graph.initializer = [...tensors.values()];
  sweep(graph, where);
}

/** Sums of absolute weights of each filter. */
function filterNorms({ node, outputs }: ChannelNode, weights: Float32Array): Float64Array {
  const norms = new Float64Array(outputs.length);
  const isColumn = isOperator(node, 'Gemm') && intAttribute(node, 'transB', 0) === 0;
  const perFilter = weights.length / outputs.length;
  for (const [index, weight] of weights.entries()) {
    const filter = isColumn ? index % outputs.length : Math.floor(index / perFilter);
    norms[filter] = (norms[filter] ?? 0) + Math.abs(weight);
  }
  return norms;
}

/** The entries kept along one dimension. */
function takeAlong(values: Float32Array, dims: readonly number[], axis: number, keep: readonly number[]) {
  const size = dims[axis] ?? 1;
  const inner = dims.slice(axis + 1).reduce((product, length) => product * length, 1);
  const outer = values.length / (size * inner);
  const taken = new Float32Array(outer * keep.length * inner);
  let at = 0;
  for (let row = 0; row < outer; row++) {
    for (const index of keep) {
      const from = (row * size + index) * inner;
      taken.set(values.subarray(from, from + inner), at);
      at += inner;
    }
  }
  return { values: taken, dims: dims.with(axis, keep.length) };
}
