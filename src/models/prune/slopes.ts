import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import { indexGraph, readsOf } from '../rewrite/graph-index.ts';
import { floatsOf } from '../rewrite/tensor-values.ts';
import { applyRule, hasRule, type RuleContext } from './slope-rules.ts';

/** The values of one item in a run of the model. */
export type ItemValues = Pick<RuleContext, 'valueOf' | 'shapeOf'>;

/** d output / d value at an item: elements of the value x elements of the output, row-major. */
export type SlopesAt = (item: ItemValues) => Float64Array;

/**
 * How a model's output changes with one of the values inside it: the chain rule from the output back, over the nodes between them.
 *
 * @param output - a value of which each item has a row
 * @param sample - an item, whose shapes are those of all
 * @returns undefined where a node in between is none that there is a rule for
 */
export function slopesOver(graph: GraphProto, value: string, output: string, sample: ItemValues): SlopesAt | undefined {
  const weights = weightsIn(graph);
  const { nodes, names } = behind(graph, value);
  if (!nodes.every((node) => hasRule(node, { ...sample, ...weights }))) return undefined;
  const width = sample.valueOf(output).length;
  const backwards = nodes.toReversed();
  return (item) => {
    const table = new Map<string, Float64Array>();
    for (const name of names) table.set(name, new Float64Array(item.valueOf(name).length * width));
    const seed = table.get(output);
    for (let at = 0; seed !== undefined && at < width; at++) seed[at * width + at] = 1;
    const slopes = { width, of: (name: string) => table.get(name) };
    for (const node of backwards) applyRule(node, { ...item, ...weights, slopes });
    return table.get(value) ?? new Float64Array();
  };
}

/** Weights by name, each turned into numbers once. */
function weightsIn(graph: GraphProto): Pick<RuleContext, 'weightsOf' | 'weightDimsOf'> {
  const { constantOf } = indexGraph(graph);
  const known = new Map<string, Float32Array>();
  return {
    weightsOf: (name = '') => {
      const tensor = constantOf(name);
      if (tensor === undefined) return undefined;
      const elements = known.get(name) ?? floatsOf(tensor) ?? new Float32Array();
      known.set(name, elements);
      return elements;
    },
    weightDimsOf: (name) => constantOf(name)?.dims.map(Number) ?? [],
  };
}

/** The nodes that a value goes into, straight or through others, in the order of the graph, and the names of it and of all they give. */
function behind({ node }: GraphProto, value: string): { readonly nodes: NodeProto[]; readonly names: Set<string> } {
  const names = new Set([value]);
  const nodes = node.filter((each) => {
    const isBehind = [...readsOf(each)].some((name) => names.has(name));
    if (isBehind) for (const name of each.output) names.add(name);
    return isBehind;
  });
  return { nodes, names };
}
