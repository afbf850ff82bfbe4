import type { GraphBuilder } from './graph-builder.ts';
import { drawWeights } from './synthetic-weights.ts';

/** A value in an image network, and how many channels it has. */
export interface Feature {
  readonly value: string;
  readonly channels: number;
}

export interface ConvOptions {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  /** Variance gained by the weights: 2 before a ReLU, which halves it again, 1 where nothing follows (He et al., arXiv 1502.01852). Default 2. */
  readonly gain?: number;
}

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: number;
  readonly ceil?: boolean;
}

/**
 * The layers that the image architectures are written in, over a graph builder, with weights drawn from a seed.
 *
 * Weights are scaled by their fan-in so that the variance of the activations stays of the order of one through any depth. Layer names follow torchvision's modules.
 */
export class ImageLayers {
  readonly graph: GraphBuilder;
  readonly seed: number;

  constructor(graph: GraphBuilder, seed: number) {
    this.graph = graph;
    this.seed = seed;
  }

  conv(name: string, input: Feature, options: ConvOptions): Feature {
    const { channels, kernel, stride = 1, padding = 0, groups = 1, bias = true, gain = 2 } = options;
    const perGroup = input.channels / groups;
    const fanIn = perGroup * kernel * kernel;
    const weight = this.#drawn(`${name}.weight`, [channels, perGroup, kernel, kernel], 0, Math.sqrt(gain / fanIn));
    const inputs = bias ? [weight, this.#drawn(`${name}.bias`, [channels], 0, 0.01)] : [weight];
    const value = this.graph.node('Conv', name, [input.value, ...inputs], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [1, 1],
      group: groups,
    });
    return { value, channels };
  }

  /** Statistics a little off the identity, so that folding them into the convolution before is real arithmetic. */
  batchNorm(name: string, input: Feature): Feature {
    const shape = [input.channels];
    const value = this.graph.node(
      'BatchNormalization',
      name,
      [
        input.value,
        this.#drawn(`${name}.weight`, shape, 1, 0.05),
        this.#drawn(`${name}.bias`, shape, 0, 0.05),
        this.#drawn(`${name}.running_mean`, shape, 0, 0.05),
        this.#drawn(`${name}.running_var`, shape, 1, 0.05),
      ],
      { epsilon: { float: 1e-5 } },
    );
    return { value, channels: input.channels };
  }

  relu(name: string, input: Feature): Feature {
    return { ...input, value: this.graph.node('Relu', name, [input.value]) };
  }

  relu6(name: string, input: Feature): Feature {
    const low = this.graph.floats(`${name}.min`, [], Float32Array.of(0));
    const high = this.graph.floats(`${name}.max`, [], Float32Array.of(6));
    return { ...input, value: this.graph.node('Clip', name, [input.value, low, high]) };
  }

  maxPool(name: string, input: Feature, { kernel, stride, padding = 0, ceil = false }: PoolOptions): Feature {
    const value = this.graph.node('MaxPool', name, [input.value], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      ceil_mode: ceil ? 1 : 0,
    });
    return { ...input, value };
  }

  averagePool(name: string, input: Feature, { kernel, stride }: PoolOptions): Feature {
    const value = this.graph.node('AveragePool', name, [input.value], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
    });
    return { ...input, value };
  }

  add(name: string, left: Feature, right: Feature): Feature {
    return { ...left, value: this.graph.node('Add', name, [left.value, right.value]) };
  }

  concat(name: string, parts: readonly Feature[]): Feature {
    const values = parts.map((part) => part.value);
    const channels = parts.reduce((sum, part) => sum + part.channels, 0);
    return { value: this.graph.node('Concat', name, values, { axis: 1 }), channels };
  }

  /** Mean over rows and columns, as [batch, channels]. */
  globalPool(name: string, input: Feature, output?: string): Feature {
    const pooled = this.graph.node('GlobalAveragePool', name, [input.value]);
    return { ...input, value: this.graph.node('Flatten', `${name}.flatten`, [pooled], { axis: 1 }, output) };
  }

  linear(name: string, input: Feature, channels: number, output?: string): Feature {
    const weight = this.#drawn(`${name}.weight`, [channels, input.channels], 0, Math.sqrt(1 / input.channels));
    const bias = this.#drawn(`${name}.bias`, [channels], 0, 0.01);
    return { value: this.graph.node('Gemm', name, [input.value, weight, bias], { transB: 1 }, output), channels };
  }

  #drawn(name: string, shape: readonly number[], mean: number, sd: number): string {
    const count = shape.reduce((product, size) => product * size, 1);
    return this.graph.floats(name, shape, drawWeights(this.seed, name, count, mean, sd));
  }
}
