import { ModelError } from '../../errors.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';

/**
 * The graph's nodes in an order in which each runs after those it reads from.
 *
 * @throws ModelError if nodes read from each other in a circle, or one reads a value that nothing gives
 */
export function orderNodes(graph: GraphProto, where: string): NodeProto[] {
  const { sourcesLeft, readers } = connect(graph, where);
  const ordered = graph.node.filter((node) => sourcesLeft.get(node) === 0);
  // Grows while it is read: a node joins once the last of its sources has been placed.
  for (const node of ordered) {
    for (const reader of readers.get(node) ?? []) {
      const left = (sourcesLeft.get(reader) ?? 0) - 1;
      sourcesLeft.set(reader, left);
      if (left === 0) ordered.push(reader);
    }
  }
  const stuck = graph.node.length - ordered.length;
  if (stuck > 0) throw damaged(where, `${stuck} nodes of the graph read from each other in a circle`);
  return ordered;
}

/** For each node how many others it reads from, and which read from it. */
function connect(graph: GraphProto, where: string) {
  const producers = new Map<string, NodeProto>();
  for (const node of graph.node) for (const name of node.output) if (name !== '') producers.set(name, node);
  const given = givenNames(graph);
  const sourcesLeft = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>(graph.node.map((node) => [node, []]));
  for (const node of graph.node) {
    const missing = node.input.find((name) => name !== '' && !producers.has(name) && !given.has(name));
    if (missing !== undefined) {
      const label = `${node.opType} node "${node.name ?? ''}"`;
      throw damaged(where, `the ${label} reads "${missing}", which no node, input or weight gives`);
    }
    const sources = new Set([...node.input, ...innerReads(node)].map((name) => producers.get(name)));
    sources.delete(undefined);
    sourcesLeft.set(node, sources.size);
    for (const source of sources) if (source !== undefined) readers.get(source)?.push(node);
  }
  return { sourcesLeft, readers };
}

function givenNames({ input, initializer, sparseInitializer }: GraphProto): Set<string> {
  const sparse = sparseInitializer.map(({ values }) => values);
  return new Set([...input, ...initializer, ...sparse].map((value) => value?.name ?? ''));
}

/** Names read by the graphs inside a node (the branches of an If, the body of a Loop); they may come from outside. */
function innerReads(node: NodeProto): string[] {
  const graphs = node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
  return graphs.flatMap((graph) => graph.node.flatMap((inner) => [...inner.input, ...innerReads(inner)]));
}

function damaged(where: string, what: string): ModelError {
  return new ModelError({ where, what, hint: 'The file is damaged or was edited; export the model again.' });
}
