import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../../src/models/catalogue-entry.ts';
import { countCost } from '../../../src/models/cost.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import type { OnnxModel } from '../../../src/models/onnx-file.ts';
import type { ModelProto } from '../../../src/models/onnx-schema.ts';
import { type FilterPlan, planFilters, removeFilters } from '../../../src/models/prune/filters.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { floatsOf, tensorOf } from '../../../src/models/rewrite/tensor-values.ts';
import { createRng, deriveSeed } from '../../../src/rng.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

/** Sets the weights, biases and normalisations of the planned channels to zero in a copy of the parent. Written apart from the removal, from the meaning of the plan. */
function zeroed(parent: OnnxModel, { channels, removed }: FilterPlan): OnnxModel {
  const copy = copyOf(parent);
  for (const { node, kind, outputs } of channels.nodes) {
    const isColumn = node.opType === 'Gemm' && !node.attribute.some(({ name, i }) => name === 'transB' && i === 1);
    for (const [index, name] of node.input.slice(1).entries()) {
      const tensor = copy.graph.initializer.find((each) => each.name === name);
      const values = floatsOf(tensor);
      if (tensor === undefined || values === undefined || (kind === 'norm' && index > 1)) continue;
      const perChannel = values.length / outputs.length;
      const positionOf = (at: number) => (isColumn && index === 0 ? at % outputs.length : Math.floor(at / perChannel));
      for (let at = 0; at < values.length; at++) {
        if (removed.has(channels.channelOf(outputs[positionOf(at)] ?? 0))) values[at] = 0;
      }
      Object.assign(tensor, tensorOf(name, 'float32', tensor.dims.map(Number), values));
    }
  }
  return copy;
}

function prune(base: ModelProto | GraphBuilder, share: number) {
  const parent = copyOf(base);
  normalize(parent, 'test');
  const pruned = copyOf(parent);
  const plan = planFilters(parent, share, 'test');
  removeFilters(pruned, planFilters(pruned, share, 'test'), 'test');
  return { parent, pruned, plan };
}

/** Weights that are small whole numbers: sums of their products are exact in float32 in any order. */
function whole(graph: GraphBuilder, name: string, ...shape: number[]): string {
  const rng = createRng(deriveSeed(9, name));
  const count = shape.reduce((product, size) => product * size, 1);
  return graph.floats(
    name,
    shape,
    Float32Array.from({ length: count }, () => rng.integer(-3, 3)),
  );
}

const conv = (graph: GraphBuilder, name: string, input: string, from: number, to: number, attributes = {}) =>
  graph.node('Conv', name, [input, whole(graph, `${name}.w`, to, from, 3, 3), whole(graph, `${name}.b`, to)], {
    pads: [1, 1, 1, 1],
    ...attributes,
  });

/** Networks over input [n, 2, 6, 6], each ending in "output" [n, 3], and the channels that are tied in them. */
const networks: Record<string, (graph: GraphBuilder, input: string) => string> = {
  'a chain': (graph, input) => conv(graph, 'b', graph.node('Relu', 'r', [conv(graph, 'a', input, 2, 8)]), 8, 8),
  'a residual addition': (graph, input) => {
    const first = graph.node('Relu', 'r1', [conv(graph, 'a', input, 2, 8)]);
    const second = graph.node('Relu', 'r2', [conv(graph, 'b', first, 8, 10)]);
    return graph.node('Add', 'add', [conv(graph, 'c', second, 10, 8), first]);
  },
  'a concatenation': (graph, input) => {
    const first = conv(graph, 'a', input, 2, 8);
    const both = graph.node('Concat', 'concat', [conv(graph, 'b', first, 8, 5), first, conv(graph, 'c', first, 8, 4)], {
      axis: 1,
    });
    return conv(graph, 'd', graph.node('Relu', 'r', [both]), 17, 8);
  },
  'a depthwise convolution': (graph, input) => {
    const wide = conv(graph, 'a', input, 2, 8);
    return conv(graph, 'c', conv(graph, 'b', wide, 1, 8, { group: 8 }), 8, 8);
  },
  'a squeeze and excitation': (graph, input) => {
    const wide = conv(graph, 'a', input, 2, 8);
    const squeezed = graph.node('GlobalMaxPool', 'squeeze', [wide]);
    const gate = graph.node('Conv', 'excite', [squeezed, whole(graph, 'excite.w', 8, 8, 1, 1)]);
    return graph.node('Mul', 'gated', [wide, gate]);
  },
  'a batch normalisation that cannot be folded': (graph, input) => {
    const wide = conv(graph, 'a', input, 2, 8);
    const statistics = ['gamma', 'beta', 'mean'].map((name) => whole(graph, name, 8));
    const variance = graph.floats('variance', [8], new Float32Array(8).fill(0.25));
    const norm = graph.node('BatchNormalization', 'norm', [wide, ...statistics, variance], { epsilon: { float: 0 } });
    return graph.node('Add', 'add', [wide, conv(graph, 'b', norm, 8, 8)]);
  },
  'a grouped convolution, which keeps all it reads': (graph, input) =>
    conv(graph, 'c', conv(graph, 'b', conv(graph, 'a', input, 2, 8), 4, 8, { group: 2 }), 8, 8),
};

describe.each(Object.entries(networks))('with %s', (_, body) => {
  test.each([0.3, 0.7])(
    'the pruned graph equals the parent with the removed filters zeroed, to the last bit (%f)',
    async (share) => {
      const graph = new GraphBuilder('network');
      const features = body(graph, graph.input('input', 'float32', ['n', 2, 6, 6]));
      const pooled = graph.node('MaxPool', 'pool', [features], { kernel_shape: [2, 2], strides: [2, 2] });
      const flat = graph.node('Flatten', 'flat', [pooled], { axis: 1 });
      const hidden = graph.node('Gemm', 'hidden', [flat, whole(graph, 'hidden.w', 72, 6)]);
      graph.node(
        'Gemm',
        'last',
        [hidden, whole(graph, 'last.w', 3, 6), whole(graph, 'last.b', 3)],
        { transB: 1 },
        'output',
      );
      graph.output('output', 'float32', ['n', 3]);
      const { parent, pruned, plan } = prune(graph, share);
      const input = randomInputs(parent, 3).map((tensor) => ({
        ...tensor,
        data: (tensor.data as Float32Array).map((value) => Math.floor(4 * value)),
      }));
      const expected = await answer(zeroed(parent, plan), input);
      expect(expected.every((value) => Math.abs(value) < 2 ** 24)).toBe(true);
      expect(await answer(pruned, input)).toEqual(expected);
      expect(countCost(pruned, 'test').macs).toBeLessThan(countCost(parent, 'test').macs ?? 0);
    },
  );
});

describe.each(['squeezenet1.1', 'mobilenetv2', 'resnet18'])('in %s', (name) => {
  test('30 % of the filters go from every layer, and the rest answers as the parent with them zeroed', async () => {
    const entry = catalogue[name] as SyntheticEntry;
    const { parent, pruned, plan } = prune(await entry.build(entry.seed), 0.3);
    const ratio = (countCost(pruned, name).macs ?? 0) / (countCost(parent, name).macs ?? 1);
    expect(ratio).toBeGreaterThan(0.45);
    expect(ratio).toBeLessThan(0.6);
    const inputs = randomInputs(parent, 1);
    const expected = await answer(zeroed(parent, plan), inputs);
    expect(relativeDifference(expected, await answer(pruned, inputs))).toBeLessThan(1e-5);
    // Classes are not filters: all 1,000 are still answered.
    expect(expected).toHaveLength(1000);
  });
});

describe('stays as it is', () => {
  test('what an operator reads that is not understood', () => {
    const graph = new GraphBuilder('network');
    const wide = conv(graph, 'a', graph.input('input', 'float32', ['n', 2, 6, 6]), 2, 8);
    graph.node('Softmax', 'softmax', [wide], { axis: 1 }, 'output');
    graph.output('output', 'float32', ['n', 8, 6, 6]);
    expect(() => prune(graph, 0.5)).toThrow('no filter of the model can be removed at 50 %');
  });

  test('a layer whose weights another one shares', () => {
    const graph = new GraphBuilder('network');
    const input = graph.input('input', 'float32', ['n', 2, 6, 6]);
    const shared = whole(graph, 'shared', 2, 2, 3, 3);
    const first = graph.node('Conv', 'first', [input, shared], { pads: [1, 1, 1, 1] });
    graph.node('Conv', 'second', [first, shared], { pads: [1, 1, 1, 1] }, 'output');
    graph.output('output', 'float32', ['n', 2, 6, 6]);
    expect(() => prune(graph, 0.5)).toThrow('no filter of the model can be removed');
  });
});
