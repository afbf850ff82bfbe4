import { expect, test } from 'vitest';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { openRunner } from '../../src/models/runner.ts';
import { copyOf, randomInputs } from './run-model.ts';

/**
 * An addition of two branches of convolutions, the shorter one listed first, of channels for which onnxruntime has no blocked kernels.
 *
 * At its last level of optimisation onnxruntime 1.30 fuses the shorter branch with the addition even where that branch is an output too, which then no node gives: running such
 * a graph ends the process with a segmentation fault. The same graph with 16 and 32 channels runs.
 */
function addition(output: 'sum' | 'short') {
  const graph = new GraphBuilder('addition');
  const input = graph.input('input', 'float32', ['n', 17, 8, 8]);
  const conv = (name: string, value: string, from: number, kernel: number, stride: number) => {
    const weights = Float32Array.from({ length: 34 * from * kernel ** 2 }, (_, index) => Math.sin(index + 1) / 4);
    const attributes = { pads: new Array<number>(4).fill((kernel - 1) / 2), strides: [stride, stride] };
    return graph.node(
      'Conv',
      name,
      [value, graph.floats(`${name}.w`, [34, from, kernel, kernel], weights)],
      attributes,
    );
  };
  const short = conv('short', input, 17, 1, 2);
  if (output === 'sum') {
    const first = graph.node('Relu', 'relu', [conv('first', input, 17, 3, 2)]);
    graph.node('Add', 'sum', [conv('long', first, 34, 3, 1), short]);
  }
  graph.output(output, 'float32', ['n', 34, 4, 4]);
  return copyOf(graph);
}

test('a branch of an addition can be watched, and does not end the process', async () => {
  const inputs = randomInputs(addition('sum'), 2);
  const elementsOf = async (output: 'sum' | 'short', watching: string[], name: string) => {
    await using runner = await openRunner(addition(output), 'test', watching);
    return Array.from((await runner.run(inputs)).get(name)?.data as Float32Array);
  };
  const expected = await elementsOf('short', [], 'short');
  const watched = await elementsOf('sum', ['short'], 'short');
  expect(watched).toHaveLength(2 * 34 * 16);
  for (const [index, value] of watched.entries()) expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4);
});
