import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../../src/models/catalogue-entry.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { writeOnnx } from '../../../src/models/onnx-file.ts';
import { drawWeights } from '../../../src/models/synthetic-weights.ts';
import { answer, optimizedOperators, quantized, randomInputs, relativeDifference } from '../run-model.ts';

/** What onnxruntime must make of each: integer kernels throughout, the input rounded once and turned to channels-last, and at most the answers in float. */
const expected: Record<string, Record<string, number>> = {
  resnet18: { QLinearConv: 20, QLinearAdd: 8, NhwcMaxPool: 1, QLinearGlobalAveragePool: 1, QGemm: 1 },
  mobilenetv2: { QLinearConv: 52, QLinearAdd: 10, QLinearGlobalAveragePool: 1, QGemm: 1 },
  'squeezenet1.1': {
    QLinearConv: 26,
    QLinearConcat: 8,
    NhwcMaxPool: 3,
    QLinearGlobalAveragePool: 1,
    DequantizeLinear: 1,
  },
};

describe.each(Object.keys(expected))('%s', (name) => {
  const entry = catalogue[name] as SyntheticEntry;

  test('runs on integers throughout, at most 0.27 of the file, and answers close to its parent', async () => {
    const base = await entry.build(entry.seed);
    const { model } = await quantized(base);
    expect(writeOnnx(model).length / writeOnnx(base).length).toBeLessThan(0.27);
    expect(await optimizedOperators(model)).toEqual({ ...expected[name], QuantizeLinear: 1, Transpose: 2, Flatten: 1 });
    for (const batch of [1, 3]) {
      const inputs = randomInputs(model, batch);
      expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.08);
    }
  });
});

test('the same model and calibration give the same bytes', async () => {
  const entry = catalogue['squeezenet1.1'] as SyntheticEntry;
  const [first, second] = [await quantized(await entry.build(1)), await quantized(await entry.build(1))];
  expect(Buffer.compare(writeOnnx(first.model), writeOnnx(second.model))).toBe(0);
});

const drawn = (graph: GraphBuilder, name: string, shape: readonly number[], sd = 0.3) =>
  graph.floats(
    name,
    shape,
    drawWeights(
      5,
      name,
      shape.reduce((product, size) => product * size, 1),
      0,
      sd,
    ),
  );

test.each(['densenet40-28', 'mobilenetv2-28', 'inceptiontime', 'resnet20-28'])(
  '%s takes at most 0.27 of the file',
  async (name) => {
    const base = await (catalogue[name] as SyntheticEntry).build(1);
    expect(writeOnnx((await quantized(base)).model).length / writeOnnx(base).length).toBeLessThan(0.27);
  },
);

test('DenseNet, whose batch normalisations cannot be folded, runs on integers throughout too', async () => {
  const entry = catalogue.densenet121 as SyntheticEntry;
  const base = await entry.build(1);
  const { model } = await quantized(base);
  expect(writeOnnx(model).length / writeOnnx(base).length).toBeLessThan(0.27);
  const operators = await optimizedOperators(model);
  expect(operators).toMatchObject({ QLinearConcat: 58, QLinearAveragePool: 3, QuantizeLinear: 1 });
  expect(operators).not.toHaveProperty('BatchNormalization');
  expect(operators).not.toHaveProperty('Conv');
  const inputs = randomInputs(model, 1);
  expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.15);
});

describe('small graphs', () => {
  const convolution = () => {
    const graph = new GraphBuilder('small');
    const input = graph.input('input', 'float32', ['n', 3, 8, 8]);
    const value = graph.node('Conv', 'conv', [input, drawn(graph, 'w', [4, 3, 3, 3]), drawn(graph, 'b', [4])]);
    return { graph, value };
  };
  const closeToParent = async (graph: GraphBuilder, bound = 0.04) => {
    const { model } = await quantized(graph);
    const inputs = randomInputs(model, 2);
    expect(relativeDifference(await answer(graph.build({}), inputs), await answer(model, inputs))).toBeLessThan(bound);
    return model;
  };

  test('an activation read by two nodes stays in the graph, and so does one that is also an output', async () => {
    const { graph, value } = convolution();
    const relu = graph.node('Relu', 'relu', [value]);
    graph.node('Add', 'add', [relu, value], {}, 'output');
    graph.output('output', 'float32', ['n', 4, 6, 6]);
    const model = await closeToParent(graph);
    expect(model.graph.node.some(({ opType }) => opType === 'Relu')).toBe(true);
  });

  test('a ReLU6 goes into the rounding, whose scale then ends at 6', async () => {
    const { graph, value } = convolution();
    const bounds = [graph.floats('low', [], Float32Array.of(0)), graph.floats('high', [], Float32Array.of(0.5))];
    graph.node('Clip', 'clip', [value, ...bounds], {}, 'output');
    graph.output('output', 'float32', ['n', 4, 6, 6]);
    const model = await closeToParent(graph);
    expect(model.graph.node.some(({ opType }) => opType === 'Clip')).toBe(false);
    const found = await answer(model, randomInputs(model, 2));
    expect(Math.max(...found)).toBeLessThan(0.502);
    expect(Math.min(...found)).toBe(0);
  });

  test('a Clip that does not start at 0 stays', async () => {
    const { graph, value } = convolution();
    const bounds = [graph.floats('low', [], Float32Array.of(-0.2)), graph.floats('high', [], Float32Array.of(0.5))];
    graph.node('Clip', 'clip', [value, ...bounds], {}, 'output');
    graph.output('output', 'float32', ['n', 4, 6, 6]);
    expect((await closeToParent(graph)).graph.node.some(({ opType }) => opType === 'Clip')).toBe(true);
  });

  test('an operator without an integer kernel between two convolutions runs in float', async () => {
    const { graph, value } = convolution();
    const bent = graph.node('Sigmoid', 'sigmoid', [value]);
    graph.node('Conv', 'second', [bent, drawn(graph, 'w2', [2, 4, 3, 3])], {}, 'output');
    graph.output('output', 'float32', ['n', 2, 4, 4]);
    const model = await closeToParent(graph);
    expect(await optimizedOperators(model)).toMatchObject({ QLinearConv: 2 });
  });

  test('a channel of zeros, a channel with a large bias and an input that is always 0 give what they should', async () => {
    const graph = new GraphBuilder('odd');
    const input = graph.input('input', 'float32', ['n', 1, 4, 4]);
    const weights = graph.floats('w', [3, 1, 1, 1], Float32Array.of(0, 1e-9, 1));
    const biases = graph.floats('b', [3], Float32Array.of(0.5, 100, -0.25));
    graph.node('Conv', 'conv', [input, weights, biases], {}, 'output');
    graph.output('output', 'float32', ['n', 3, 4, 4]);
    await closeToParent(graph, 0.01);
  });

  test('a matrix product whose answers are the model gives them in float', async () => {
    const graph = new GraphBuilder('product');
    const input = graph.input('input', 'float32', ['n', 16]);
    const hidden = graph.node('Gemm', 'hidden', [input, drawn(graph, 'w', [16, 8]), drawn(graph, 'b', [8])]);
    const relu = graph.node('Relu', 'relu', [hidden]);
    graph.node('MatMul', 'last', [relu, drawn(graph, 'w2', [8, 4])], {}, 'output');
    graph.output('output', 'float32', ['n', 4]);
    const model = await closeToParent(graph);
    expect(Object.keys(await optimizedOperators(model)).sort()).toEqual([
      'MatMulIntegerToFloat',
      'QGemm',
      'QuantizeLinear',
    ]);
  });
});

describe('is refused with a sentence', () => {
  test('where nothing can be quantised', async () => {
    const graph = new GraphBuilder('plain');
    graph.node('Relu', 'relu', [graph.input('input', 'float32', ['n', 4])], {}, 'output');
    graph.output('output', 'float32', ['n', 4]);
    await expect(quantized(graph)).rejects.toThrow(
      'no convolution, matrix product, recurrent layer or table of rows with constant float32 weights',
    );
  });

  test('where the operator set is too old', async () => {
    const model = await (catalogue['squeezenet1.1'] as SyntheticEntry).build(1);
    for (const set of model.opsetImport) set.version = 11;
    await expect(quantized(model)).rejects.toThrow('the model uses operator set 11');
  });

  test('where a value is not a number', async () => {
    const graph = new GraphBuilder('broken');
    const input = graph.input('input', 'float32', ['n', 1, 2, 2]);
    graph.node('Conv', 'conv', [input, graph.floats('w', [1, 1, 1, 1], Float32Array.of(Number.NaN))], {}, 'output');
    graph.output('output', 'float32', ['n', 1, 2, 2]);
    await expect(quantized(graph)).rejects.toThrow('"output" is not a finite number for some calibration inputs');
  });
});
