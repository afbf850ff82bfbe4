import type { GraphProto } from '../onnx-schema.ts';
import { innerGraphs } from './graph-index.ts';

/** Digits of short names: 0 to 9, then a to z. */
const BASE = 36;

/**
 * Gives every value inside a graph a name of a character or three, and drops the notes of exporters. Changes the graph in place; it must have been swept.
 *
 * In small models the names weigh as much as the rounded weights, and each stands in the file for every node that reads or gives it. Nodes keep their own names, by which users know the layers, and
 * inputs and outputs of the model theirs. A graph with graphs inside its nodes is left as it is.
 */
export function shortenNames(graph: GraphProto): void {
  if (graph.node.some((node) => innerGraphs(node).length > 0)) return;
  const kept = new Set(['', ...[...graph.input, ...graph.output].map(({ name = '' }) => name)]);
  const short = new Map<string, string>();
  let count = 0;
  const nameOf = (name: string): string => {
    if (kept.has(name)) return name;
    const known = short.get(name);
    if (known !== undefined) return known;
    let own: string;
    do own = (count++).toString(BASE);
    while (kept.has(own));
    short.set(name, own);
    return own;
  };
  for (const node of graph.node) {
    node.input = node.input.map(nameOf);
    node.output = node.output.map(nameOf);
    delete node.docString;
  }
  for (const tensor of graph.initializer) {
    tensor.name = nameOf(tensor.name ?? '');
    delete tensor.docString;
  }
  graph.quantizationAnnotation = [];
}
