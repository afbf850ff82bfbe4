import { ModelError } from '../../errors.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';

/**
 * The graph's nodes in an order in which each runs after those it reads from.
 *
 * @throws ModelError if nodes read from each other in a circle, or one reads a value that nothing gives
 */
export function orderNodes(graph: GraphProto, where: string): NodeProto[] {
  const producers = new Map<string, NodeProto>();
  for (const node of graph.node) for (const name of node.output) if (name !== '') producers.set(name, node);
  const given = new Set([...graph.input, ...graph.initializer].map(({ name }) => name ?? ''));
  for (const { values } of graph.sparseInitializer) given.add(values?.name ?? '');

  const ordered: NodeProto[] = [];
  const waitingFor = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const node of graph.node) {
    const sources = new Set<NodeProto>();
    for (const name of [...node.input, ...innerReads(node)]) {
      const producer = producers.get(name);
      if (producer !== undefined) sources.add(producer);
    }
    for (const name of node.input) {
      if (name !== '' && !producers.has(name) && !given.has(name)) throw missingValue(node, name, where);
    }
    waitingFor.set(node, sources.size);
    for (const source of sources) readers.set(source, [...(readers.get(source) ?? []), node]);
    if (sources.size === 0) ordered.push(node);
  }
  // Grows while it is read: a node joins once the last of its sources has been placed.
  for (const node of ordered) {
    for (const reader of readers.get(node) ?? []) {
      const left = (waitingFor.get(reader) ?? 0) - 1;
      waitingFor.set(reader, left);
      if (left === 0) ordered.push(reader);
    }
  }
  if (ordered.length < graph.node.length) throw cyclic(graph.node.length - ordered.length, where);
  return ordered;
}

/** Names read by the graphs inside a node (the branches of an If, the body of a Loop); they may come from outside. */
function innerReads(node: NodeProto): string[] {
  const graphs = node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
  return graphs.flatMap((graph) => graph.node.flatMap((inner) => [...inner.input, ...innerReads(inner)]));
}

function missingValue({ name, opType }: NodeProto, value: string, where: string): ModelError {
  return new ModelError({
    where,
    what: `the ${opType} node "${name ?? ''}" reads "${value}", which no node, input or weight gives`,
    hint: 'The file is damaged or was edited; export the model again.',
  });
}

function cyclic(count: number, where: string): ModelError {
  return new ModelError({
    where,
    what: `${count} nodes of the graph read from each other in a circle`,
    hint: 'The file is damaged or was edited; export the model again.',
  });
}
