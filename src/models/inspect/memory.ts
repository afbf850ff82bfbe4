import { inferGraph } from '../inference/infer-graph.ts';
import { product } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import { defaultDimensions, type OpenDimensions } from '../open-dimensions.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { inputSpecs } from '../tensor-specs.ts';
import { bytesPerElement, elementCount } from '../tensors.ts';
import { elementTypes } from './element-types.ts';

export interface ModelMemory {
  /** Bytes of the weights, as the file holds them. */
  readonly weightsBytes: number;
  /**
   * Bytes of all values computed for one item; undefined where a shape is not known. A value that is rounded at once, and one that only stands for its integers, take no memory of
   * their own: onnxruntime fuses QuantizeLinear and DequantizeLinear with their neighbours. What is computed of weights alone is computed once, when the model is loaded.
   */
  readonly activationsBytes: number | undefined;
  /** The most bytes of computed values that are needed at one time, node by node in the order of the graph. The runtime needs more: it packs, pads and keeps an arena. */
  readonly peakActivationsBytes: number | undefined;
}

/** @param dims - sizes of open dimensions besides the batch, which is 1 */
export function memoryOf(model: OnnxModel, where: string, dims: OpenDimensions = {}): ModelMemory {
  const { graph } = model;
  const size = (type: number | undefined) => bytesPerElement[type ?? 0] ?? 0;
  const weightsBytes = graph.initializer.reduce((sum, each) => sum + elementCount(each) * size(each.dataType), 0);
  const inputs = inputSpecs(graph, where);
  const sizes = new Map(Object.entries({ ...defaultDimensions(model, inputs), ...dims }));
  for (const { shape } of inputs) if (typeof shape[0] === 'string') sizes.set(shape[0], 1);
  const steps = inferGraph(graph, inputs, sizes, where);
  if (steps.some(({ shapes: [first] }) => first === undefined)) {
    return { weightsBytes, activationsBytes: undefined, peakActivationsBytes: undefined };
  }
  const types = elementTypes({ ...graph, node: steps.map(({ node }) => node) });
  const { readersOf, isOutput } = indexGraph(graph);
  const isFused = (node: NodeProto, name: string) => {
    const readers = readersOf(name);
    const isRoundedAtOnce = readers.length > 0 && readers.every((reader) => isOperator(reader, 'QuantizeLinear'));
    return !isOutput(name) && (isRoundedAtOnce || isOperator(node, 'DequantizeLinear'));
  };
  const constants = new Set(['', ...graph.initializer.map(({ name = '' }) => name)]);
  const bytes = new Map<string, number>();
  for (const { node, shapes } of steps) {
    const isConstant = node.input.length > 0 && node.input.every((name) => constants.has(name));
    if (isConstant) for (const name of node.output) constants.add(name);
    for (const [index, name] of node.output.entries()) {
      bytes.set(name, isConstant || isFused(node, name) ? 0 : product(shapes[index] ?? [0]) * size(types.get(name)));
    }
  }
  const lastUse = new Map<string, number>();
  for (const [step, { node }] of steps.entries()) for (const name of node.input) lastUse.set(name, step);
  for (const { name = '' } of graph.output) lastUse.set(name, steps.length);
  // Integers are needed for as long as the values that stand for them.
  for (const { node } of steps.toReversed()) {
    const [integers = ''] = node.input;
    const until = isOperator(node, 'DequantizeLinear') ? lastUse.get(node.output[0] ?? '') : undefined;
    if (until !== undefined) lastUse.set(integers, Math.max(until, lastUse.get(integers) ?? 0));
  }
  let alive = 0;
  let peak = 0;
  const endingAt = new Map<number, number>();
  for (const [step, { node }] of steps.entries()) {
    for (const name of node.output) {
      const own = bytes.get(name) ?? 0;
      const end = lastUse.get(name) ?? step;
      alive += own;
      endingAt.set(end, (endingAt.get(end) ?? 0) + own);
    }
    peak = Math.max(peak, alive);
    alive -= endingAt.get(step) ?? 0;
  }
  const activationsBytes = [...bytes.values()].reduce((sum, each) => sum + each, 0);
  return { weightsBytes, activationsBytes, peakActivationsBytes: peak };
}
