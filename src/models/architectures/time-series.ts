import { GraphBuilder } from '../graph-builder.ts';
import { metadataKeys } from '../metadata.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { drawWeights } from '../synthetic-weights.ts';

/** Readings of a series where nothing else is asked for. */
const LENGTH = 128;
const CLASSES = 5;
const FILTERS = 32;
const KERNELS = [40, 20, 10];
const MODULES = 6;
/** Modules between a shortcut's ends. */
const SPAN = 3;
const HIDDEN = 128;
const LSTM_GATES = 4;

/**
 * One network of InceptionTime over series of one channel: 420,192 parameters before the last layer.
 *
 * Source: Fawaz et al., arXiv 1909.04939, in the form of its published code; the count is that of table 2 in Ismail-Fawaz et al., "LITE", DSAA 2023.
 */
export function buildInceptionTime(seed: number): ModelProto {
  const graph = new GraphBuilder('inceptiontime');
  const layers = new SeriesLayers(graph, seed);
  let x = { value: graph.input('input', 'float32', ['batch', 1, 'sequence']), channels: 1 };
  let start = x;
  for (let module = 0; module < MODULES; module++) {
    x = inceptionModule(layers, `module${module}`, x);
    if (module % SPAN !== SPAN - 1) continue;
    const beside = layers.norm(`shortcut${module}.norm`, layers.conv(`shortcut${module}`, start, x.channels, 1));
    x = layers.relu(`shortcut${module}.relu`, {
      ...x,
      value: graph.node('Add', `add${module}`, [x.value, beside.value]),
    });
    start = x;
  }
  const pooled = graph.node('GlobalAveragePool', 'pool', [x.value]);
  layers.linear('fc', graph.node('Flatten', 'flatten', [pooled], { axis: 1 }), x.channels, CLASSES, 'logits');
  graph.output('logits', 'float32', ['batch', CLASSES]);
  return graph.build(metadataOf(seed));
}

/**
 * Two LSTM layers of 128 over series of one channel, the last state into a matrix product: 199,168 parameters before the last layer.
 *
 * Source: Hochreiter and Schmidhuber (1997), without peepholes, in the form of PyTorch's `nn.LSTM(1, 128, num_layers=2)`, which has two biases a gate.
 */
export function buildLstm(seed: number): ModelProto {
  const graph = new GraphBuilder('lstm');
  const layers = new SeriesLayers(graph, seed);
  const input = graph.input('input', 'float32', ['batch', 1, 'sequence']);
  let x = graph.node('Transpose', 'steps', [input], { perm: [2, 0, 1] });
  x = layers.lstm('lstm0', x, 1);
  const all = graph.node('Squeeze', 'lstm0.flat', [x, graph.integers('lstm0.axes', [1])]);
  x = layers.lstm('lstm1', all, HIDDEN);
  const last = graph.node('Gather', 'last', [x, graph.integers('last.index', [-1])], { axis: 0 });
  const flat = graph.node('Squeeze', 'last.flat', [last, graph.integers('last.axes', [0, 1])]);
  layers.linear('fc', flat, HIDDEN, CLASSES, 'logits');
  graph.output('logits', 'float32', ['batch', CLASSES]);
  return graph.build(metadataOf(seed));
}

interface Series {
  readonly value: string;
  readonly channels: number;
}

/** A bottleneck, three lengths of convolution and a pooled path side by side, joined and normalised. */
function inceptionModule(layers: SeriesLayers, name: string, input: Series): Series {
  const { graph } = layers;
  const narrow = input.channels === 1 ? input : layers.conv(`${name}.bottleneck`, input, FILTERS, 1);
  const paths = KERNELS.map((kernel) => layers.conv(`${name}.conv${kernel}`, narrow, FILTERS, kernel));
  const pool = graph.node('MaxPool', `${name}.pool`, [input.value], { kernel_shape: [3], strides: [1], pads: [1, 1] });
  paths.push(layers.conv(`${name}.pooled`, { ...input, value: pool }, FILTERS, 1));
  const joined = graph.node(
    'Concat',
    `${name}.concat`,
    paths.map(({ value }) => value),
    { axis: 1 },
  );
  return layers.relu(`${name}.relu`, layers.norm(`${name}.norm`, { value: joined, channels: FILTERS * paths.length }));
}

function metadataOf(seed: number): Record<string, string> {
  return {
    [metadataKeys.syntheticWeights]: 'true',
    [metadataKeys.seed]: String(seed),
    [metadataKeys.sequenceLength]: String(LENGTH),
  };
}

class SeriesLayers {
  readonly graph: GraphBuilder;
  readonly seed: number;

  constructor(graph: GraphBuilder, seed: number) {
    this.graph = graph;
    this.seed = seed;
  }

  /** Padded so that the length stays. */
  conv(name: string, input: Series, channels: number, kernel: number): Series {
    const sd = Math.sqrt(1 / (input.channels * kernel));
    const weight = this.#drawn(`${name}.weight`, [channels, input.channels, kernel], 0, sd);
    const pads = [Math.floor((kernel - 1) / 2), Math.floor(kernel / 2)];
    const value = this.graph.node('Conv', name, [input.value, weight], { kernel_shape: [kernel], strides: [1], pads });
    return { value, channels };
  }

  norm(name: string, input: Series): Series {
    const shape = [input.channels];
    const parts = [
      this.#drawn(`${name}.weight`, shape, 1, 0.05),
      this.#drawn(`${name}.bias`, shape, 0, 0.05),
      this.#drawn(`${name}.running_mean`, shape, 0, 0.05),
      this.#drawn(`${name}.running_var`, shape, 1, 0.05),
    ];
    const value = this.graph.node('BatchNormalization', name, [input.value, ...parts], { epsilon: { float: 1e-5 } });
    return { ...input, value };
  }

  relu(name: string, input: Series): Series {
    return { ...input, value: this.graph.node('Relu', name, [input.value]) };
  }

  /** All outputs [length, 1, batch, hidden] of steps [length, batch, inputs]. */
  lstm(name: string, input: string, inputs: number): string {
    const rows = LSTM_GATES * HIDDEN;
    const sd = Math.sqrt(1 / HIDDEN);
    const weights = [
      this.#drawn(`${name}.weight_ih`, [1, rows, inputs], 0, sd),
      this.#drawn(`${name}.weight_hh`, [1, rows, HIDDEN], 0, sd),
      this.#drawn(`${name}.bias`, [1, 2 * rows], 0, 0.05),
    ];
    return this.graph.node('LSTM', name, [input, ...weights], { hidden_size: HIDDEN });
  }

  linear(name: string, input: string, from: number, to: number, output: string): void {
    const weight = this.#drawn(`${name}.weight`, [to, from], 0, Math.sqrt(1 / from));
    this.graph.node('Gemm', name, [input, weight, this.#drawn(`${name}.bias`, [to], 0, 0.01)], { transB: 1 }, output);
  }

  #drawn(name: string, shape: readonly number[], mean: number, sd: number): string {
    const count = shape.reduce((product, size) => product * size, 1);
    return this.graph.floats(name, shape, drawWeights(this.seed, name, count, mean, sd));
  }
}
