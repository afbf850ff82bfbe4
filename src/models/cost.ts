import { inferGraph } from './inference/infer-graph.ts';
import { product } from './inference/operator.ts';
import type { OnnxModel } from './onnx-file.ts';
import { defaultDimensions, type OpenDimensions } from './open-dimensions.ts';
import { inputSpecs } from './tensor-specs.ts';
import { checkTensors } from './tensors.ts';

/** One node of a model, for a table of where its cost lies. */
export interface LayerCost {
  readonly name: string;
  readonly opType: string;
  readonly outputShape: readonly number[] | undefined;
  readonly macs: number | undefined;
}

export interface ModelCost {
  /** Multiply-adds of one item (batch 1); undefined where a part of them is not known. */
  readonly macs: number | undefined;
  readonly layers: readonly LayerCost[];
}

/**
 * Multiply-adds of one item through the model, in all and node by node, by following shapes through the graph.
 *
 * The first dimension of an input is its batch; where it is open it is taken as 1. Where it is fixed at another size, an item's share is not known and the sum is undefined.
 * @param dims - sizes of other open dimensions by name, e.g. { sequence: 128 }; where left out, those that the file names
 * @throws ModelError if the graph is not one that can run
 */
export function countCost(model: OnnxModel, where: string, dims: OpenDimensions = {}): ModelCost {
  const { graph } = model;
  const inputs = inputSpecs(graph, where);
  const batches = inputs.flatMap(({ shape: [first] }) => (first === undefined ? [] : [first]));
  const sizes = new Map(Object.entries({ ...defaultDimensions(model, inputs), ...dims }));
  for (const batch of batches) if (typeof batch === 'string') sizes.set(batch, 1);
  const layers = inferGraph(graph, inputs, sizes, where).map(({ node, shapes, macs }) => ({
    name: node.name ?? '',
    opType: node.opType ?? '',
    outputShape: shapes[0],
    macs,
  }));
  const isOneItem = batches.every((batch) => typeof batch === 'string' || batch === 1);
  return { macs: isOneItem ? sum(layers.map(({ macs }) => macs)) : undefined, layers };
}

/** A value that a node writes takes about as long as this many multiply-adds of a convolution. */
const MACS_PER_VALUE = 10;

/**
 * What one item takes, in multiply-adds; values that nodes write count as some more. Undefined where the file alone does not tell: an input leaves more open than the batch, weights lie elsewhere, or a node is
 * not known.
 * @throws ModelError if the graph is not one that can run
 */
export function countWork(model: OnnxModel, where: string): number | undefined {
  const { graph } = model;
  const isOneItem = inputSpecs(graph, where).every(
    ({ shape: [batch, ...others] }) =>
      (batch === 1 || typeof batch === 'string') && others.every((size) => typeof size === 'number'),
  );
  if (!isOneItem || checkTensors(graph, where).length > 0) return undefined;
  const { macs, layers } = countCost(model, where);
  return sum([macs, ...layers.map(({ outputShape }) => outputShape && MACS_PER_VALUE * product(outputShape))]);
}

function sum(parts: readonly (number | undefined)[]): number | undefined {
  return parts.reduce((total, part) => (total === undefined || part === undefined ? undefined : total + part), 0);
}
