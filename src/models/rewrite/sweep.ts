import { orderNodes } from '../inference/node-order.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import { indexGraph, readsOf } from './graph-index.ts';

/**
 * Removes nodes and weights that no output depends on, and puts the nodes into an order in which they can run. Changes the graph in place.
 *
 * What the file notes about values beside the graph itself (`valueInfo`) is dropped: after a rewrite it may no longer be true.
 * @throws ModelError if the graph is not one that can run
 */
export function sweep(graph: GraphProto, where: string): void {
  const { producerOf } = indexGraph(graph);
  const needed = new Set<NodeProto>();
  const names = new Set<string>();
  const wanted = graph.output.map(({ name = '' }) => name);
  for (const name of wanted) {
    if (names.has(name)) continue;
    names.add(name);
    const node = producerOf(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    wanted.push(...readsOf(node));
  }
  graph.node = graph.node.filter((node) => needed.has(node));
  graph.initializer = graph.initializer.filter(({ name = '' }) => names.has(name));
  graph.valueInfo = [];
  graph.node = orderNodes(graph, where);
}
