import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../../src/models/catalogue-entry.ts';
import { countCost } from '../../../src/models/cost.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { memoryOf } from '../../../src/models/inspect/memory.ts';
import { writeOnnx } from '../../../src/models/onnx-file.ts';
import { countParameters } from '../../../src/models/parameters.ts';
import { storeAsIntegers } from '../../../src/models/quantize/stored.ts';
import { sweep } from '../../../src/models/rewrite/sweep.ts';
import { drawWeights } from '../../../src/models/synthetic-weights.ts';
import { answer, copyOf, optimizedOperators, quantized, randomInputs, relativeDifference } from '../run-model.ts';

const weights = (graph: GraphBuilder, name: string, shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return graph.floats(name, shape, drawWeights(3, name, count, 0, 0.3));
};

describe.each([
  ['bert-tiny', 2, 0.02, 0.1],
  ['lstm', 3, 0.005, 0.01],
] as const)('%s as int8-static', (name, stored, storedBound, bound) => {
  const entry = catalogue[name] as SyntheticEntry;

  test('takes at most 0.27 of the file, answers close to its parent and costs as much', async () => {
    const base = copyOf(await entry.build(entry.seed));
    const made = await quantized(base);
    expect(made.stored).toBe(stored);
    expect(writeOnnx(made.model).length / writeOnnx(base).length).toBeLessThan(0.27);
    const inputs = randomInputs(base, 2, { sequence: 128 });
    expect(relativeDifference(await answer(base, inputs), await answer(made.model, inputs))).toBeLessThan(bound);
    const only = copyOf(base);
    storeAsIntegers(only.graph);
    sweep(only.graph, 'test');
    expect(relativeDifference(await answer(base, inputs), await answer(only, inputs))).toBeLessThan(storedBound);
    expect(countParameters(made.model.graph)).toBe(countParameters(base.graph));
    expect(countCost(made.model, name).macs).toBe(countCost(base, name).macs);
  });
});

test('onnxruntime makes floats of recurrent weights when it loads them: no node of it is left', async () => {
  const { model } = await quantized(await (catalogue.lstm as SyntheticEntry).build(1));
  const operators = await optimizedOperators(model);
  expect(operators).toMatchObject({ LSTM: 2 });
  expect(operators).not.toHaveProperty('Cast');
  expect(operators).not.toHaveProperty('Mul');
});

describe('a table', () => {
  const model = (reader: (graph: GraphBuilder, table: string, ids: string) => void, rows = 100, columns = 32) => {
    const graph = new GraphBuilder('table');
    reader(graph, weights(graph, 'table', [rows, columns]), graph.input('ids', 'int64', ['n']));
    graph.output('output', 'float32', ['n', columns]);
    return graph;
  };
  const look = (graph: GraphBuilder, table: string, ids: string) =>
    graph.node('Gather', 'look', [table, ids], { axis: 0 }, 'output');
  const ids = [{ name: 'ids', type: 'int64', shape: [3], data: BigInt64Array.of(0n, 99n, -2n) }] as const;
  const storedIn = (graph: GraphBuilder) => {
    const changed = copyOf(graph);
    const count = storeAsIntegers(changed.graph);
    sweep(changed.graph, 'test');
    return { changed, count };
  };

  test('gives every element back to within half a step of its row, and takes a quarter of the bytes', async () => {
    const graph = model(look);
    const { changed, count } = storedIn(graph);
    expect(count).toBe(1);
    const [expected, found] = [await answer(graph.build({}), ids), await answer(changed, ids)];
    for (let row = 0; row < 3; row++) {
      const part = expected.subarray(row * 32, row * 32 + 32);
      const step = Math.max(...part.map(Math.abs)) / 127;
      for (const [at, value] of part.entries()) {
        expect(Math.abs(value - (found[row * 32 + at] ?? Number.NaN))).toBeLessThanOrEqual(step / 2 + 1e-6);
      }
    }
    expect(memoryOf(changed, 'test').weightsBytes).toBe(100 * 32 + 100 * 4);
    expect(countParameters(changed.graph)).toBe(100 * 32);
  });

  test('is stored where rows are cut out of it', async () => {
    const graph = model((builder, table, input) => {
      const length = builder.node('Shape', 'length', [input]);
      const [start, axis] = [builder.integers('start', [0]), builder.integers('axis', [0])];
      builder.node('Slice', 'cut', [table, start, length, axis], {}, 'output');
    });
    const { changed, count } = storedIn(graph);
    expect(count).toBe(1);
    expect(relativeDifference(await answer(graph.build({}), ids), await answer(changed, ids))).toBeLessThan(0.005);
  });

  test.each([
    [
      'columns are looked up',
      model((graph, table, input) => graph.node('Gather', 'look', [table, input], { axis: 1 })),
    ],
    [
      'it is multiplied too',
      model((graph, table, input) => graph.node('MatMul', 'product', [look(graph, table, input), table])),
    ],
    ['it is small', model(look, 10, 32)],
  ])('stays in float where %s', (_, graph) => {
    expect(storedIn(graph).count).toBe(0);
  });
});

test('a model of recurrent layers alone can be quantised, and of a weight with one input to a gate nothing is gained', async () => {
  const graph = new GraphBuilder('recurrent');
  const input = graph.input('input', 'float32', [4, 2, 1]);
  graph.node(
    'GRU',
    'gru',
    [input, weights(graph, 'w', [1, 96, 1]), weights(graph, 'r', [1, 96, 32])],
    {
      hidden_size: 32,
    },
    'output',
  );
  graph.output('output', 'float32', [4, 1, 2, 32]);
  const { model, stored } = await quantized(graph);
  expect(stored).toBe(1);
  const inputs = randomInputs(model, 4);
  expect(relativeDifference(await answer(graph.build({}), inputs), await answer(model, inputs))).toBeLessThan(0.02);
});
