import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type AttributeValue, GraphBuilder } from '../../src/models/graph-builder.ts';
import { inferGraph } from '../../src/models/inference/infer-graph.ts';
import { operators } from '../../src/models/inference/operators.ts';
import { writeOnnx } from '../../src/models/onnx-file.ts';
import { createMessage, type GraphProto } from '../../src/models/onnx-schema.ts';
import { makeSampleBatches } from '../../src/models/samples.ts';
import { inputSpecs } from '../../src/models/tensor-specs.ts';
import type { DataType } from '../../src/models/types.ts';

type Given =
  | readonly number[]
  | { readonly integers: readonly number[] }
  | { readonly shape: readonly number[]; readonly type: DataType };

interface Case {
  readonly inputs: readonly Given[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly outputs?: number;
}

const image = [2, 6, 9, 10];
const integers = (...values: number[]) => ({ integers: values });

/** Five steps of three inputs, two series at once, into a state of four. */
function recurrent(
  gates: number,
  directions: number,
  attributes: NonNullable<Case['attributes']>,
  outputs: number,
): Case {
  const weights = [3, 4].map((inputs) => [directions, 4 * gates, inputs]);
  return { inputs: [[5, 2, 3], ...weights], attributes, outputs };
}

/** One node each; a list is the shape of a float input, `integers` a list of int64 that stands in the file. */
const cases: readonly (readonly [opType: string, Case])[] = [
  ['Conv', { inputs: [image, [4, 6, 3, 3]] }],
  ['Conv', { inputs: [image, [4, 3, 3, 2], [4]], attributes: { group: 2, strides: [2, 3], pads: [1, 0, 2, 1] } }],
  ['Conv', { inputs: [image, [4, 6, 3, 3]], attributes: { dilations: [2, 2] } }],
  ['Conv', { inputs: [image, [4, 6, 3, 3]], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } }],
  ['Conv', { inputs: [image, [4, 6, 3, 3]], attributes: { auto_pad: 'VALID', strides: [2, 2] } }],
  [
    'Conv',
    {
      inputs: [
        [2, 6, 11],
        [4, 6, 3],
      ],
      attributes: { strides: [2] },
    },
  ],
  ['ConvTranspose', { inputs: [image, [6, 4, 3, 3]] }],
  [
    'ConvTranspose',
    {
      inputs: [image, [6, 2, 3, 3]],
      attributes: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
    },
  ],
  [
    'MatMul',
    {
      inputs: [
        [3, 4],
        [4, 5],
      ],
    },
  ],
  [
    'MatMul',
    {
      inputs: [
        [2, 1, 3, 4],
        [7, 4, 5],
      ],
    },
  ],
  ['MatMul', { inputs: [[4], [2, 4, 5]] }],
  ['MatMul', { inputs: [[2, 3, 4], [4]] }],
  ['Gemm', { inputs: [[3, 4], [5, 4], [5]], attributes: { transB: 1 } }],
  [
    'Gemm',
    {
      inputs: [
        [4, 3],
        [4, 5],
      ],
      attributes: { transA: 1 },
    },
  ],
  ['MaxPool', { inputs: [image], attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } }],
  [
    'MaxPool',
    { inputs: [image], attributes: { kernel_shape: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 } },
  ],
  ['MaxPool', { inputs: [image], attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] } }],
  ['AveragePool', { inputs: [image], attributes: { kernel_shape: [3, 2], auto_pad: 'SAME_LOWER', strides: [2, 2] } }],
  ['GlobalAveragePool', { inputs: [image] }],
  ['Relu', { inputs: [image] }],
  ['Clip', { inputs: [image] }],
  ['Softmax', { inputs: [[3, 4]] }],
  ['Dropout', { inputs: [image] }],
  ['BatchNormalization', { inputs: [image, [6], [6], [6], [6]] }],
  ['LayerNormalization', { inputs: [[2, 3, 8], [8]] }],
  ['Cast', { inputs: [image], attributes: { to: 7 } }],
  ['Identity', { inputs: [image] }],
  [
    'Add',
    {
      inputs: [
        [2, 1, 4],
        [3, 1],
      ],
    },
  ],
  ['Where', { inputs: [{ shape: [3, 1], type: 'bool' }, [1, 4], [2, 1, 1]] }],
  [
    'Concat',
    {
      inputs: [
        [2, 3],
        [2, 5],
      ],
      attributes: { axis: -1 },
    },
  ],
  ['ConstantOfShape', { inputs: [integers(2, 3)] }],
  ['Expand', { inputs: [[3, 1], integers(2, 1, 6)] }],
  ['Flatten', { inputs: [image] }],
  ['Flatten', { inputs: [image], attributes: { axis: -1 } }],
  ['Flatten', { inputs: [image], attributes: { axis: 0 } }],
  ['Gather', { inputs: [[5, 7], { shape: [2, 3], type: 'int64' }], attributes: { axis: 1 } }],
  ['Pad', { inputs: [[2, 3], integers(0, 1, 2, 0)] }],
  ['ReduceMean', { inputs: [image], attributes: { axes: [2, -1], keepdims: 0 } }],
  ['ReduceMean', { inputs: [image] }],
  ['ReduceSum', { inputs: [image, integers(1)] }],
  ['ReduceSum', { inputs: [image], attributes: { keepdims: 0 } }],
  ['ReduceSum', { inputs: [image], attributes: { noop_with_empty_axes: 1 } }],
  ['LSTM', recurrent(4, 1, { hidden_size: 4 }, 3)],
  ['LSTM', recurrent(4, 2, { hidden_size: 4, direction: 'bidirectional' }, 3)],
  ['GRU', recurrent(3, 1, { hidden_size: 4 }, 2)],
  ['RNN', recurrent(1, 1, { hidden_size: 4, direction: 'reverse' }, 2)],
  ['Reshape', { inputs: [image, integers(0, -1, 5)] }],
  ['Shape', { inputs: [image] }],
  ['Shape', { inputs: [image], attributes: { start: 1, end: -1 } }],
  ['Slice', { inputs: [image, integers(1, 2), integers(9, -1), integers(3, 2), integers(3, 1)] }],
  ['Slice', { inputs: [image, integers(8), integers(-100), integers(2), integers(-3)] }],
  ['Split', { inputs: [[6, 2]], attributes: { axis: 0 }, outputs: 3 }],
  ['Split', { inputs: [[6, 2], integers(1, 5)], attributes: { axis: 0 }, outputs: 2 }],
  ['Squeeze', { inputs: [[1, 3, 1], integers(-1)] }],
  ['Squeeze', { inputs: [[1, 3, 1]] }],
  ['Transpose', { inputs: [[2, 3, 4]] }],
  ['Transpose', { inputs: [[2, 3, 4]], attributes: { perm: [1, 0, 2] } }],
  ['Unsqueeze', { inputs: [[3, 4], integers(0, -1)] }],
];

function buildCase(opType: string, { inputs, attributes, outputs = 1 }: Case) {
  const graph = new GraphBuilder(opType);
  const names = inputs.map((given, index) => {
    if ('integers' in given) return graph.integers(`in${index}`, given.integers);
    return 'type' in given
      ? graph.input(`in${index}`, given.type, given.shape)
      : graph.input(`in${index}`, 'float32', given);
  });
  const output = opType === 'Cast' || opType === 'Shape' ? 'int64' : 'float32';
  graph.node(opType, 'out0', names, attributes);
  for (let index = 0; index < outputs; index++) graph.output(`out${index}`, output, []);
  const model = graph.build({});
  const built = model.graph as GraphProto;
  const [node] = built.node;
  if (node) node.output = built.output.map(({ name }) => name ?? '');
  // What onnxruntime finds must be its own finding, so no shape is declared.
  for (const { type } of built.output) delete type?.tensorType?.shape;
  return { model, graph: built };
}

test.each(cases)('%s leaves the shapes that onnxruntime leaves: %j', async (opType, given) => {
  const { model, graph } = buildCase(opType, given);
  const inputs = inputSpecs(graph, opType);
  const [inferred] = inferGraph(graph, inputs, new Map(), opType);
  const session = await ort.InferenceSession.create(writeOnnx(model));
  const feeds = Object.fromEntries(
    inputs.map((input) => {
      const [sample] = makeSampleBatches([input], { batch: Number(input.shape[0]), count: 1, seed: 1 });
      const tensor = sample?.tensors[0];
      if (tensor === undefined) throw new Error('no sample');
      return [tensor.name, new ort.Tensor(tensor.type as 'float32', tensor.data as Float32Array, tensor.shape)];
    }),
  );
  const answers = await session.run(feeds);
  expect(inferred?.shapes).toEqual(graph.output.map(({ name }) => answers[name ?? '']?.dims));
  await session.release();
});

describe('multiply-adds', () => {
  const macsOf = (opType: string, given: Case) => {
    const { graph } = buildCase(opType, given);
    return inferGraph(graph, inputSpecs(graph, opType), new Map(), opType)[0]?.macs;
  };

  test('a convolution has one for each output element, input channel of its group and kernel position', () => {
    expect(macsOf('Conv', { inputs: [image, [4, 3, 3, 3], [4]], attributes: { group: 2 } })).toBe(
      2 * 4 * 7 * 8 * 3 * 9,
    );
  });

  test('a transposed convolution has one for each input element, output channel of its group and kernel position', () => {
    expect(macsOf('ConvTranspose', { inputs: [image, [6, 2, 3, 3]], attributes: { group: 2 } })).toBe(
      2 * 6 * 9 * 10 * 2 * 9,
    );
  });

  test('matrix products have rows x columns x inner size, for each matrix of a stack', () => {
    expect(
      macsOf('Gemm', {
        inputs: [
          [4, 3],
          [5, 4],
        ],
        attributes: { transA: 1, transB: 1 },
      }),
    ).toBe(3 * 5 * 4);
    expect(
      macsOf('MatMul', {
        inputs: [
          [2, 1, 3, 4],
          [7, 4, 5],
        ],
      }),
    ).toBe(2 * 7 * 3 * 5 * 4);
  });

  test('element-wise operators have none that are counted, and an unknown operator has no number at all', () => {
    expect(macsOf('Relu', { inputs: [image] })).toBe(0);
    expect(macsOf('LSTM', { inputs: [[1, 2, 3]] })).toBeUndefined();
    expect(macsOf('toString', { inputs: [image] })).toBeUndefined();
  });
});

test('every operator that multiplies is checked against onnxruntime or counts in integers', () => {
  const checked = new Set(cases.map(([opType]) => opType));
  const unchecked = Object.keys(operators).filter((name) => operators[name]?.macs !== undefined && !checked.has(name));
  expect(unchecked).toEqual(['ConvInteger', 'QLinearConv', 'MatMulInteger', 'QLinearMatMul']);
});

test('sizes computed inside the graph are followed: flattening by Shape, Gather, Unsqueeze, Concat and Reshape', () => {
  const graph = new GraphBuilder('flatten');
  const input = graph.input('input', 'float32', ['batch', 8, 3, 3]);
  const shape = graph.node('Shape', 'shape', [input]);
  const batch = graph.node('Gather', 'gather', [shape, graph.integers('zero', [0])]);
  const target = graph.node('Concat', 'target', [batch, graph.integers('rest', [-1])], { axis: 0 });
  const flat = graph.node('Reshape', 'flat', [input, target]);
  const weight = graph.floats('weight', [72, 10], new Float32Array(720));
  graph.node('MatMul', 'logits', [flat, weight]);
  graph.output('logits', 'float32', ['batch', 10]);
  const built = graph.build({}).graph as GraphProto;
  const layers = inferGraph(built, inputSpecs(built, 'test'), new Map([['batch', 3]]), 'test');
  expect(layers.at(-1)).toMatchObject({ shapes: [[3, 10]], macs: 3 * 72 * 10 });
});

test('a value whose shape is not known leaves what follows unknown, and its multiply-adds undefined', () => {
  const graph = new GraphBuilder('unknown');
  const input = graph.input('input', 'float32', [1, 8]);
  graph.node('MatMul', 'logits', [
    graph.node('Mystery', 'mystery', [input]),
    graph.floats('w', [8, 2], new Float32Array(16)),
  ]);
  graph.output('logits', 'float32', [1, 2]);
  const built = graph.build({}).graph as GraphProto;
  const [mystery, product] = inferGraph(built, inputSpecs(built, 'test'), new Map(), 'test');
  expect(mystery).toMatchObject({ shapes: [undefined], macs: undefined });
  expect(product).toMatchObject({ shapes: [undefined], macs: undefined });
});

test('nodes listed out of order are followed in the order they run; a circle and a missing value are named', () => {
  const graph = new GraphBuilder('order');
  const input = graph.input('input', 'float32', [1, 8]);
  graph.node('Relu', 'second', ['first']);
  graph.node('Relu', 'first', [input]);
  graph.output('second', 'float32', [1, 8]);
  const built = graph.build({}).graph as GraphProto;
  const inputs = inputSpecs(built, 'my.onnx');
  expect(inferGraph(built, inputs, new Map(), 'my.onnx').map(({ node }) => node.name)).toEqual(['first', 'second']);

  const circle = createMessage('NodeProto', {
    opType: 'Add',
    name: 'loop',
    input: ['input', 'loop'],
    output: ['loop'],
  });
  expect(() => inferGraph({ ...built, node: [circle] }, inputs, new Map(), 'my.onnx')).toThrow(
    'my.onnx  1 nodes of the graph read from each other in a circle',
  );
  const lost = createMessage('NodeProto', { opType: 'Relu', name: 'lost', input: ['nowhere'], output: ['y'] });
  expect(() => inferGraph({ ...built, node: [lost] }, inputs, new Map(), 'my.onnx')).toThrow(
    'the Relu node "lost" reads "nowhere", which no node, input or weight gives',
  );
});
