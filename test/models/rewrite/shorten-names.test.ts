import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { type AttributeProto, createMessage, type GraphProto } from '../../../src/models/onnx-schema.ts';
import { shortenNames } from '../../../src/models/rewrite/shorten-names.ts';

const built = (): GraphProto => {
  const graph = new GraphBuilder('names');
  const input = graph.input('0', 'float32', ['n', 2]);
  const weight = graph.floats('classifier.weight', [2, 2], Float32Array.of(1, 2, 3, 4));
  const hidden = graph.node('Gemm', 'classifier', [input, weight, '']);
  graph.node('Relu', 'activation', [hidden], {}, '1');
  graph.output('1', 'float32', ['n', 2]);
  return graph.build({}).graph as GraphProto;
};

test('values get short names that no input or output has; nodes, inputs and outputs keep theirs', () => {
  const graph = built();
  for (const node of graph.node) node.docString = 'File "model.py", line 3';
  shortenNames(graph);
  expect(graph.node.map(({ name, input, output, docString }) => ({ name, input, output, docString }))).toEqual([
    { name: 'classifier', input: ['0', '2', ''], output: ['3'], docString: undefined },
    { name: 'activation', input: ['3'], output: ['1'], docString: undefined },
  ]);
  expect(graph.initializer.map(({ name }) => name)).toEqual(['2']);
});

test('a graph with graphs inside its nodes is left as it is', () => {
  const graph = built();
  const branch: AttributeProto = createMessage('AttributeProto', {
    name: 'then_branch',
    type: 5,
    g: createMessage('GraphProto', {
      node: [createMessage('NodeProto', { opType: 'Relu', input: ['classifier'], output: ['inner'] })],
    }),
  });
  graph.node.push(createMessage('NodeProto', { opType: 'If', input: ['condition'], attribute: [branch] }));
  const before = structuredClone(graph);
  shortenNames(graph);
  expect(graph).toEqual(before);
});
