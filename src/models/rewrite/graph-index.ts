import type { GraphProto, NodeProto, TensorProto } from '../onnx-schema.ts';

/** Who gives and who reads each value of a graph, as it stands when the index is made. */
export interface GraphIndex {
  /** The node that gives a value; undefined for inputs and weights. */
  readonly producerOf: (name: string) => NodeProto | undefined;
  /** Nodes that read a value, in the order of the graph; a node that reads it twice is there once. Graphs inside nodes count as their node. */
  readonly readersOf: (name: string) => readonly NodeProto[];
  readonly constantOf: (name: string | undefined) => TensorProto | undefined;
  readonly isOutput: (name: string) => boolean;
}

export function indexGraph(graph: GraphProto): GraphIndex {
  const producers = new Map<string, NodeProto>();
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.output) if (name !== '') producers.set(name, node);
    for (const name of readsOf(node)) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  }
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const outputs = new Set(graph.output.map(({ name }) => name));
  return {
    producerOf: (name) => producers.get(name),
    readersOf: (name) => readers.get(name) ?? [],
    constantOf: (name) => (name === undefined ? undefined : constants.get(name)),
    isOutput: (name) => outputs.has(name),
  };
}

/** Names a node reads, each once, also those that the graphs inside it read from outside. */
export function readsOf(node: NodeProto): ReadonlySet<string> {
  const inner = innerGraphs(node).flatMap((graph) => graph.node.flatMap((each) => [...readsOf(each)]));
  return new Set([...node.input, ...inner].filter((name) => name !== ''));
}

/** The graphs inside a node: branches of an If, the body of a Loop or Scan. */
export function innerGraphs({ attribute }: NodeProto): GraphProto[] {
  return attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** A name that nothing in the graph has yet: the wish itself, or the wish with a number. */
export function namer(graph: GraphProto): (wish: string) => string {
  const taken = new Set<string>();
  for (const { name } of [...graph.input, ...graph.output, ...graph.initializer]) taken.add(name ?? '');
  for (const node of graph.node) for (const name of [...node.input, ...node.output, node.name ?? '']) taken.add(name);
  return (wish) => {
    let name = wish;
    for (let count = 2; taken.has(name); count++) name = `${wish}.${count}`;
    taken.add(name);
    return name;
  };
}
