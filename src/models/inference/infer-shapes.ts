import type { GraphProto } from '../onnx-schema.ts';
import { inputSpecs } from '../tensor-specs.ts';
import { inferGraph } from './infer-graph.ts';

/**
 * Shapes of all computed values and inputs by name, for one item (an open first dimension of an input counts as 1), as far as they are known.
 *
 * @throws ModelError if the graph is not one that can run
 */
export function inferShapes(graph: GraphProto, where: string): ReadonlyMap<string, readonly number[]> {
  const inputs = inputSpecs(graph, where);
  const sizes = new Map(
    inputs.flatMap(({ shape: [first] }) => (typeof first === 'string' ? [[first, 1] as const] : [])),
  );
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of inputs) {
    const fixed = shape.map((size) => (typeof size === 'number' ? size : sizes.get(size)));
    if (fixed.every((size) => size !== undefined)) shapes.set(name, fixed);
  }
  for (const { node, shapes: own } of inferGraph(graph, inputs, sizes, where)) {
    for (const [index, name] of node.output.entries()) {
      const shape = own[index];
      if (shape !== undefined) shapes.set(name, shape);
    }
  }
  return shapes;
}
