import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { copyOf } from './run-model.ts';

/**
 * An addition of two branches of convolutions, the shorter one with a batch normalisation that is folded into it, of channels for which onnxruntime has no blocked kernels.
 *
 * At its last level of optimisation onnxruntime 1.30 fuses the shorter branch with the addition even where that branch is an output too, which then no node gives: running such
 * a graph ends the process with a segmentation fault. The same graph with 16 and 32 channels runs; so does one without the normalisation, if the output declares its type.
 */
export function residualAddition(outputs: readonly ('sum' | 'short')[]) {
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
  const statistics = ['scale', 'bias', 'mean', 'variance'].map((name) =>
    graph.floats(name, [34], new Float32Array(34).fill(name === 'mean' ? 0.5 : 1)),
  );
  const short = graph.node(
    'BatchNormalization',
    'norm',
    [conv('short.conv', input, 17, 1, 2), ...statistics],
    {},
    'short',
  );
  if (outputs.includes('sum')) {
    const first = graph.node('Relu', 'relu', [conv('first', input, 17, 3, 2)]);
    graph.node('Add', 'sum', [conv('long', first, 34, 3, 1), short]);
  }
  for (const output of outputs) graph.output(output, 'float32', ['n', 34, 4, 4]);
  return copyOf(graph);
}
