import type { Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork, type ImageForm } from './image-network.ts';

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
      if (index < LAYERS_OF_BLOCK.length - 1) {
        x = transition(layers, `features.transition${index + 1}`, x, x.channels / 2);
      }
    }
    x = normRelu(layers, 'features.norm5', x);
    return layers.linear('classifier', layers.globalPool('pool', x), 1000, 'logits');
  });
}

const SMALL_LAYERS = 12;
const SMALL_GROWTH = 12;

/**
 * DenseNet of 40 layers with growth 12, without bottlenecks, for small images: 1,019,722 parameters over 32x32 colour images.
 *
 * Source: Huang et al., arXiv 1608.06993, section 3 ("implementation details") and table 2 (L = 40, k = 12: 1.0 M parameters).
 */
export function buildDensenet40(seed: number, form: ImageForm): ModelProto {
  const body = (layers: ImageLayers, input: Feature) => {
    let x = layers.conv('features.conv0', input, { channels: 16, kernel: 3, padding: 1, bias: false });
    for (const block of [1, 2, 3]) {
      for (let layer = 1; layer <= SMALL_LAYERS; layer++) x = plainLayer(layers, `block${block}.layer${layer}`, x);
      if (block < 3) x = transition(layers, `transition${block}`, x, x.channels);
    }
    x = normRelu(layers, 'features.norm', x);
    return layers.linear('classifier', layers.globalPool('pool', x), form.classes, 'logits');
  };
  return buildImageNetwork(`densenet40-${form.size}`, seed, body, form);
}

/** What came before, and beside it a few channels computed from all of it by one convolution. */
function plainLayer(layers: ImageLayers, name: string, input: Feature): Feature {
  const grown = layers.conv(`${name}.conv`, normRelu(layers, `${name}.norm`, input), {
    channels: SMALL_GROWTH,
    kernel: 3,
    padding: 1,
    bias: false,
  });
  return layers.concat(`${name}.concat`, [input, grown]);
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

/** Half the rows and columns. */
function transition(layers: ImageLayers, name: string, input: Feature, channels: number): Feature {
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
