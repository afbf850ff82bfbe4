import type { GraphProto, NodeProto, TensorProto } from '../onnx-schema.ts';
import { knownIntegers } from '../tensors.ts';
import type { TensorSpec } from '../types.ts';
import { orderNodes } from './node-order.ts';
import { type Inferred, type OperatorRule, product } from './operator.ts';
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
  for (const tensor of graph.initializer) known.set(tensor.name ?? '', constant(tensor));
  return orderNodes(graph, where).map((node) => inferNode(node, known));
}

function inferNode(node: NodeProto, known: Map<string, Inferred>): InferredNode {
  const tensor = node.opType === 'Constant' ? node.attribute.find(({ t }) => t !== undefined)?.t : undefined;
  const rule = tensor === undefined ? ruleOf(node) : undefined;
  const inputs = node.input.map((name) => known.get(name));
  const operator = { node, inputs };
  const isReady = node.input.every((name, index) => name === '' || inputs[index] !== undefined);
  const outputs = tensor === undefined ? (isReady && rule?.infer(operator)) || [] : [constant(tensor)];
  const trusted = node.output.map((_, index) => trust(outputs[index]));
  for (const [index, name] of node.output.entries()) {
    const output = trusted[index];
    if (output !== undefined) known.set(name, output);
  }
  return { node, shapes: trusted.map((output) => output?.shape), macs: macsOf() };

  function macsOf(): number | undefined {
    if (tensor !== undefined || node.opType === 'Constant') return 0;
    if (rule === undefined) return undefined;
    if (rule.macs === undefined) return 0;
    const macs = isReady ? rule.macs(operator, trusted) : undefined;
    return Number.isSafeInteger(macs) ? macs : undefined;
  }
}

function ruleOf({ domain = '', opType = '' }: NodeProto): OperatorRule | undefined {
  const isDefault = domain === '' || domain === 'ai.onnx';
  return isDefault && Object.hasOwn(operators, opType) ? operators[opType] : undefined;
}

function constant(tensor: TensorProto): Inferred {
  return { shape: tensor.dims.map(Number), values: knownIntegers(tensor) };
}

/** Attributes that contradict the inputs can give sizes that no tensor has; such a shape counts as not known. */
function trust(output: Inferred | undefined): Inferred | undefined {
  const isPossible = output?.shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  return isPossible && Number.isSafeInteger(product(output?.shape ?? [])) ? output : undefined;
}
