import { expect, test } from 'vitest';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { createMessage, type GraphProto, onnxDataTypes } from '../../src/models/onnx-schema.ts';
import { countParameters } from '../../src/models/parameters.ts';

const weight = (graph: GraphBuilder, name: string, ...shape: number[]) =>
  graph.floats(name, shape, new Float32Array(shape.reduce((product, size) => product * size, 1)));

test('weights and biases count, statistics, bounds, scalars, shapes and what nothing reads do not', () => {
  const graph = new GraphBuilder('counted');
  const x = graph.input('input', 'float32', ['batch', 3, 4, 4]);
  const conv = graph.node('Conv', 'conv', [x, weight(graph, 'w', 8, 3, 1, 1), weight(graph, 'b', 8)]);
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'var'].map((name) => weight(graph, name, 8));
  const norm = graph.node('BatchNormalization', 'norm', [conv, gamma, beta, mean, variance].map(String));
  const clip = graph.node('Clip', 'clip', [norm, weight(graph, 'low'), weight(graph, 'high')]);
  const scaled = graph.node('Mul', 'scaled', [clip, weight(graph, 'scale')]);
  graph.node('Reshape', 'flat', [scaled, graph.integers('shape', [0, -1])]);
  weight(graph, 'unread', 100);
  expect(countParameters(graph.build({}).graph as GraphProto)).toBe(8 * 3 + 8 + 8 + 8);
});

test('a weight read twice counts once, and one in a Constant node or in a branch counts too', () => {
  const graph = new GraphBuilder('shared');
  const x = graph.input('input', 'float32', ['batch', 4]);
  const shared = weight(graph, 'shared', 4, 4);
  graph.node('MatMul', 'second', [graph.node('MatMul', 'first', [x, shared]), shared]);
  const built = graph.build({}).graph as GraphProto;
  const t = createMessage('TensorProto', { dims: [4], dataType: 1, floatData: [1, 2, 3, 4] });
  const value = createMessage('AttributeProto', { name: 'value', type: 4, t });
  built.node.push(createMessage('NodeProto', { opType: 'Constant', output: ['bias'], attribute: [value] }));
  const inner = createMessage('GraphProto', {
    initializer: [createMessage('TensorProto', { name: 'inner', dims: [7], dataType: 1 })],
    node: [createMessage('NodeProto', { opType: 'Add', input: ['bias', 'inner'], output: ['sum'] })],
  });
  const branch = createMessage('AttributeProto', { name: 'then_branch', type: 5, g: inner });
  built.node.push(createMessage('NodeProto', { opType: 'If', input: ['condition'], attribute: [branch] }));
  expect(countParameters(built)).toBe(16 + 4 + 7);
});

test('in a quantised graph weights and biases count, scales and zero points do not, nor do 32-bit indices', () => {
  const tensor = (name: string, dataType: number, ...dims: number[]) =>
    createMessage('TensorProto', { name, dataType, dims });
  const graph = createMessage('GraphProto', {
    initializer: [
      tensor('w', onnxDataTypes.int8, 8, 3, 1, 1),
      tensor('w_scale', onnxDataTypes.float32, 8),
      tensor('w_zero', onnxDataTypes.int8, 8),
      tensor('b', onnxDataTypes.int32, 8),
      tensor('b_scale', onnxDataTypes.float32, 8),
      tensor('indices', onnxDataTypes.int32, 5),
    ],
    node: [
      createMessage('NodeProto', { opType: 'DequantizeLinear', input: ['w', 'w_scale', 'w_zero'] }),
      createMessage('NodeProto', { opType: 'DequantizeLinear', input: ['b', 'b_scale'] }),
      createMessage('NodeProto', { opType: 'Gather', input: ['x', 'indices'] }),
    ],
  });
  expect(countParameters(graph)).toBe(8 * 3 + 8);
});
