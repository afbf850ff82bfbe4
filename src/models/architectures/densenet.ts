import type { Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork } from './image-network.ts';

const LAYERS_OF_BLOCK = [6, 12, 24, 16];
/** Channels that each layer adds. */
const GROWTH = 32;
const BOTTLENECK = 4 * GROWTH;

/**
 * DenseNet-121: 7,978,856 parameters.
 *
 * Source: Huang et al., arXiv 1608.06993, in the form of torchvision's `densenet121`, whose module names it uses.
 */
export function buildDensenet121(seed: number): ModelProto {
  return buildImageNetwork('densenet121', seed, (layers, input) => {
    const stem = { channels: 64, kernel: 7, stride: 2, padding: 3, bias: false };
    let x = normRelu(layers, 'features.norm0', layers.conv('features.conv0', input, stem));
    x = layers.maxPool('features.pool0', x, { kernel: 3, stride: 2, padding: 1 });
    for (const [index, count] of LAYERS_OF_BLOCK.entries()) {
      const block = `features.denseblock${index + 1}`;
      for (let layer = 1; layer <= count; layer++) x = denseLayer(layers, `${block}.denselayer${layer}`, x);
      if (index < LAYERS_OF_BLOCK.length - 1) x = transition(layers, `features.transition${index + 1}`, x);
    }
    x = normRelu(layers, 'features.norm5', x);
    return layers.linear('classifier', layers.globalPool('pool', x), 1000, 'logits');
  });
}

/** What came before, and beside it a few channels computed from all of it. */
function denseLayer(layers: ImageLayers, name: string, input: Feature): Feature {
  const narrow = layers.conv(`${name}.conv1`, normRelu(layers, `${name}.norm1`, input), {
    channels: BOTTLENECK,
    kernel: 1,
    bias: false,
  });
  const grown = layers.conv(`${name}.conv2`, normRelu(layers, `${name}.norm2`, narrow), {
    channels: GROWTH,
    kernel: 3,
    padding: 1,
    bias: false,
  });
  return layers.concat(`${name}.concat`, [input, grown]);
}

/** Half the channels, rows and columns. */
function transition(layers: ImageLayers, name: string, input: Feature): Feature {
  const channels = input.channels / 2;
  const narrow = layers.conv(`${name}.conv`, normRelu(layers, `${name}.norm`, input), {
    channels,
    kernel: 1,
    bias: false,
  });
  return layers.averagePool(`${name}.pool`, narrow, { kernel: 2, stride: 2 });
}

function normRelu(layers: ImageLayers, norm: string, input: Feature): Feature {
  return layers.relu(`${norm}.relu`, layers.batchNorm(norm, input));
}
