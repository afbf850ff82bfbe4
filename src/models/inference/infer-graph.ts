import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import type { TensorSpec } from '../types.ts';
import { constantValue } from './constants.ts';
import { orderNodes } from './node-order.ts';
import { type Inferred, type Operator, type OperatorRule, product } from './operator.ts';
import { operators } from './operators.ts';

/** A node with the shapes of its outputs and its multiply-adds, as far as they can be known without running the model. */
export interface InferredNode {
  readonly node: NodeProto;
  /** In the order of the node's outputs. */
  readonly shapes: readonly (readonly number[] | undefined)[];
  readonly macs: number | undefined;
}

/**
 * Shapes and multiply-adds of every node, in an order in which they can run.
 *
 * @param inputs - the graph's inputs, see `inputSpecs`
 * @param sizes - sizes of the dimensions that are left open, by their names
 * @throws ModelError if the graph is not one that can run: a circle, or a value that nothing gives
 */
export function inferGraph(
  graph: GraphProto,
  inputs: readonly TensorSpec[],
  sizes: ReadonlyMap<string, number>,
  where: string,
): InferredNode[] {
  const known = new Map<string, Inferred>();
  for (const { name, shape } of inputs) {
    const fixed = shape.map((size) => (typeof size === 'number' ? size : sizes.get(size)));
    if (fixed.every((size) => size !== undefined)) known.set(name, { shape: fixed });
  }
  for (const tensor of graph.initializer) known.set(tensor.name ?? '', constantValue(tensor));
  return orderNodes(graph, where).map((node) => inferNode(node, known));
}

function inferNode(node: NodeProto, known: Map<string, Inferred>): InferredNode {
  const operator = { node, inputs: node.input.map((name) => known.get(name)) };
  // An optional input that is left out has an empty name.
  const isReady = node.input.every((name, index) => name === '' || operator.inputs[index] !== undefined);
  const rule = ruleOf(node);
  const found = isReady ? rule?.infer(operator) : undefined;
  const outputs = node.output.map((_, index) => trust(found?.[index]));
  for (const [index, name] of node.output.entries()) {
    const output = outputs[index];
    if (output !== undefined) known.set(name, output);
  }
  return { node, shapes: outputs.map((output) => output?.shape), macs: rule && macsOf(rule, operator, outputs) };
}

function macsOf({ macs }: OperatorRule, operator: Operator, outputs: readonly (Inferred | undefined)[]) {
  if (macs === undefined) return 0;
  const count = outputs[0] && macs(operator, outputs);
  return Number.isSafeInteger(count) ? count : undefined;
}

function ruleOf({ domain = '', opType = '' }: NodeProto): OperatorRule | undefined {
  const isDefault = domain === '' || domain === 'ai.onnx';
  return isDefault && Object.hasOwn(operators, opType) ? operators[opType] : undefined;
}

/** Attributes that contradict the inputs can give sizes that no tensor has; such a shape counts as not known. */
function trust(output: Inferred | undefined): Inferred | undefined {
  const isPossible = output?.shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  return isPossible && Number.isSafeInteger(product(output?.shape ?? [])) ? output : undefined;
}
