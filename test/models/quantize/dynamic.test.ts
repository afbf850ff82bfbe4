import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../../src/models/catalogue-entry.ts';
import { countCost } from '../../../src/models/cost.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { readOnnx, writeOnnx } from '../../../src/models/onnx-file.ts';
import { countParameters } from '../../../src/models/parameters.ts';
import { quantizeDynamic } from '../../../src/models/quantize/dynamic.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { drawWeights } from '../../../src/models/synthetic-weights.ts';
import { packageFile } from '../../../src/package-files.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

test('the matrix products of the trained model are rounded, and it answers and costs as before', async () => {
  const base = readOnnx(readFileSync(packageFile('models/mnist-cnn.onnx')), 'mnist');
  const model = copyOf(base);
  normalize(model, 'mnist');
  expect(quantizeDynamic(model, 'mnist')).toEqual({ products: 2, stored: 0 });
  const inputs = randomInputs(base, 3);
  expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.02);
  expect(writeOnnx(model).length).toBeLessThan(0.3 * writeOnnx(base).length);
  expect(countParameters(model.graph)).toBe(countParameters(base.graph));
  expect(countCost(model, 'mnist').macs).toBe(countCost(base, 'mnist').macs);
});

describe('a product', () => {
  const weights = (graph: GraphBuilder, name: string, ...shape: number[]) =>
    graph.floats(
      name,
      shape,
      drawWeights(
        2,
        name,
        shape.reduce((product, size) => product * size, 1),
        0,
        0.3,
      ),
    );

  test.each([
    ['Gemm', { transB: 1 }, [6, 10]],
    ['Gemm', {}, [10, 6]],
    ['MatMul', {}, [10, 6]],
  ] as const)('by %s %o is close to its parent', async (opType, attributes, shape) => {
    const graph = new GraphBuilder('product');
    const input = graph.input('input', 'float32', ['n', 10]);
    const bias = opType === 'Gemm' ? [weights(graph, 'b', 6)] : [];
    graph.node(opType, 'product', [input, weights(graph, 'w', ...shape), ...bias], attributes, 'output');
    graph.output('output', 'float32', ['n', 6]);
    const model = copyOf(graph);
    expect(quantizeDynamic(model, 'test')).toEqual({ products: 1, stored: 0 });
    const inputs = randomInputs(model, 4);
    expect(relativeDifference(await answer(graph.build({}), inputs), await answer(model, inputs))).toBeLessThan(0.02);
  });
});

test('a text model is rounded for its products, and its embeddings are stored as integers', async () => {
  const base = await (catalogue['bert-tiny'] as SyntheticEntry).build(1);
  const model = copyOf(base);
  normalize(model, 'bert-tiny');
  expect(quantizeDynamic(model, 'bert-tiny')).toEqual({ products: 13, stored: 2 });
  expect(writeOnnx(model).length / writeOnnx(base).length).toBeLessThan(0.27);
  const inputs = randomInputs(model, 2, { sequence: 128 });
  expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.15);
});

test('a model of convolutions is refused, and told of the variant that suits it', async () => {
  const model = copyOf(await (catalogue.resnet18 as SyntheticEntry).build(1));
  expect(() => quantizeDynamic(model, 'resnet18.onnx')).toThrowErrorMatchingInlineSnapshot(`
    [ModelError: resnet18.onnx  int8-dynamic would round 4 % of the model's weights: it rounds matrix products, and this model is made of other operators
      Use int8-static, which rounds convolutions too.]
  `);
});
