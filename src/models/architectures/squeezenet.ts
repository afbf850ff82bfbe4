import type { ConvOptions, Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork } from './image-network.ts';

type Fire = readonly [name: string, squeeze: number, expand: number];

interface Form {
  readonly name: string;
  readonly stem: ConvOptions;
  /** Fire modules between the poolings. */
  readonly stages: readonly (readonly Fire[])[];
}

const form10: Form = {
  name: 'squeezenet1.0',
  stem: { channels: 96, kernel: 7, stride: 2 },
  stages: [
    [
      ['features.3', 16, 64],
      ['features.4', 16, 64],
      ['features.5', 32, 128],
    ],
    [
      ['features.7', 32, 128],
      ['features.8', 48, 192],
      ['features.9', 48, 192],
      ['features.10', 64, 256],
    ],
    [['features.12', 64, 256]],
  ],
};

const form11: Form = {
  name: 'squeezenet1.1',
  stem: { channels: 64, kernel: 3, stride: 2 },
  stages: [
    [
      ['features.3', 16, 64],
      ['features.4', 16, 64],
    ],
    [
      ['features.6', 32, 128],
      ['features.7', 32, 128],
    ],
    [
      ['features.9', 48, 192],
      ['features.10', 48, 192],
      ['features.11', 64, 256],
      ['features.12', 64, 256],
    ],
  ],
};

/**
 * SqueezeNet 1.0: 1,248,424 parameters.
 *
 * Source: Iandola et al., arXiv 1602.07360, in the form of torchvision's `squeezenet1_0`, whose module names it uses.
 */
export function buildSqueezenet10(seed: number): ModelProto {
  return build(form10, seed);
}

/**
 * SqueezeNet 1.1: 1,235,496 parameters.
 *
 * Source: Iandola et al., arXiv 1602.07360, in the 1.1 form of torchvision's `squeezenet1_1`, whose module names it uses.
 */
export function buildSqueezenet11(seed: number): ModelProto {
  return build(form11, seed);
}

function build({ name, stem, stages }: Form, seed: number): ModelProto {
  return buildImageNetwork(name, seed, (layers, input) => {
    let x = layers.relu('features.1', layers.conv('features.0', input, stem));
    for (const [index, fires] of stages.entries()) {
      x = layers.maxPool(`pool.${index}`, x, { kernel: 3, stride: 2, ceil: true });
      for (const module of fires) x = fire(layers, x, module);
    }
    x = layers.relu('classifier.2', layers.conv('classifier.1', x, { channels: 1000, kernel: 1 }));
    return layers.globalPool('classifier.3', x, 'logits');
  });
}

/** Few 1x1 filters, then 1x1 and 3x3 ones side by side. */
function fire(layers: ImageLayers, input: Feature, [name, squeeze, expand]: Fire): Feature {
  const convRelu = (part: string, from: Feature, channels: number, kernel: number) =>
    layers.relu(
      `${name}.${part}_activation`,
      layers.conv(`${name}.${part}`, from, { channels, kernel, padding: (kernel - 1) / 2 }),
    );
  const squeezed = convRelu('squeeze', input, squeeze, 1);
  return layers.concat(`${name}.concat`, [
    convRelu('expand1x1', squeezed, expand, 1),
    convRelu('expand3x3', squeezed, expand, 3),
  ]);
}
