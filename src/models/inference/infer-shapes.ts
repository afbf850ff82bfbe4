import type { OnnxModel } from '../onnx-file.ts';
import { defaultDimensions } from '../open-dimensions.ts';
import { inputSpecs } from '../tensor-specs.ts';
import { inferGraph } from './infer-graph.ts';

/**
 * Shapes of all computed values and inputs by name, for one item (an open first dimension of an input counts as 1, other open ones as the file says), as far as they are known.
 *
 * @throws ModelError if the graph is not one that can run
 */
export function inferShapes(model: OnnxModel, where: string): ReadonlyMap<string, readonly number[]> {
  const { graph } = model;
  const inputs = inputSpecs(graph, where);
  const sizes = new Map(Object.entries(defaultDimensions(model, inputs)));
  for (const {
    shape: [first],
  } of inputs)
    if (typeof first === 'string') sizes.set(first, 1);
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
