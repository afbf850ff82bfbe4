import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../../src/models/catalogue-entry.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { foldBatchNorms } from '../../../src/models/rewrite/fold-batch-norm.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { drawWeights } from '../../../src/models/synthetic-weights.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

const drawn = (graph: GraphBuilder, name: string, shape: readonly number[], mean = 0, sd = 0.5) =>
  graph.floats(
    name,
    shape,
    drawWeights(
      3,
      name,
      shape.reduce((product, size) => product * size, 1),
      mean,
      sd,
    ),
  );

interface Options {
  readonly bias: boolean;
  readonly groups: number;
  readonly channels: number;
}

/** input [n, 4, 6, 6] -> Conv -> BatchNormalization -> "output"; the convolution's own value is "conv". */
function convAndNorm({ bias, groups, channels }: Options): GraphBuilder {
  const graph = new GraphBuilder('conv-norm');
  const input = graph.input('input', 'float32', ['n', 4, 6, 6]);
  const weights = [drawn(graph, 'w', [channels, 4 / groups, 3, 3]), ...(bias ? [drawn(graph, 'b', [channels])] : [])];
  graph.node('Conv', 'conv', [input, ...weights], { group: groups, pads: [1, 1, 1, 1] });
  const statistics = ['gamma', 'beta', 'mean'].map((name) => drawn(graph, name, [channels]));
  const variance = drawn(graph, 'variance', [channels], 1, 0.2);
  graph.node('BatchNormalization', 'norm', ['conv', ...statistics, variance], { epsilon: { float: 1e-3 } }, 'output');
  graph.output('output', 'float32', ['n', channels, 6, 6]);
  return graph;
}

describe.each(['resnet18', 'mobilenetv2'])('in %s', (name) => {
  test('every batch normalisation is folded, and answers change by less than 1e-4 of the largest', async () => {
    const entry = catalogue[name] as SyntheticEntry;
    const base = await entry.build(entry.seed);
    const folded = copyOf(base);
    const norms = folded.graph.node.filter(({ opType }) => opType === 'BatchNormalization').length;
    expect(normalize(folded, name)).toBe(norms);
    expect(folded.graph.node.some(({ opType }) => opType === 'BatchNormalization')).toBe(false);
    for (const batch of [1, 3]) {
      const inputs = randomInputs(folded, batch);
      expect(relativeDifference(await answer(base, inputs), await answer(folded, inputs))).toBeLessThan(1e-4);
    }
  });
});

test('a fold keeps the function: with and without bias, in groups, for any number of channels', async () => {
  const options = fc.record({
    bias: fc.boolean(),
    groups: fc.constantFrom(1, 2, 4),
    channels: fc.constantFrom(4, 8, 12),
  });
  await fc.assert(
    fc.asyncProperty(options, async (option) => {
      const base = copyOf(convAndNorm(option));
      const folded = copyOf(base);
      expect(foldBatchNorms(folded.graph)).toBe(1);
      const inputs = randomInputs(base, 2);
      expect(relativeDifference(await answer(base, inputs), await answer(folded, inputs))).toBeLessThan(1e-5);
    }),
    { numRuns: 12 },
  );
});

test('a convolution whose own value is an output, or read by another node, is left as it is', () => {
  const asOutput = convAndNorm({ bias: true, groups: 1, channels: 4 });
  asOutput.output('conv', 'float32', ['n', 4, 6, 6]);
  expect(foldBatchNorms(copyOf(asOutput).graph)).toBe(0);
  const readTwice = convAndNorm({ bias: true, groups: 1, channels: 4 });
  readTwice.node('Relu', 'relu', ['conv']);
  readTwice.output('relu', 'float32', ['n', 4, 6, 6]);
  expect(foldBatchNorms(copyOf(readTwice).graph)).toBe(0);
});

test('weights that two convolutions share are folded for one and stay as they were for the other', async () => {
  const graph = convAndNorm({ bias: false, groups: 1, channels: 4 });
  graph.node('Conv', 'second', ['output', 'w'], { pads: [1, 1, 1, 1] }, 'last');
  graph.output('last', 'float32', ['n', 4, 6, 6]);
  const base = copyOf(graph);
  const folded = copyOf(graph);
  for (const model of [base, folded]) model.graph.output.shift();
  expect(normalize(folded, 'test')).toBe(1);
  const inputs = randomInputs(base, 1);
  expect(relativeDifference(await answer(base, inputs), await answer(folded, inputs))).toBeLessThan(1e-5);
});
