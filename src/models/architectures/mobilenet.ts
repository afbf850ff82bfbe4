import type { ConvOptions, Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork } from './image-network.ts';

/** Rows of the paper's table 2: how much a block widens inside, its channels, how many of them, and the first one's stride. */
const stages: readonly (readonly [expansion: number, channels: number, blocks: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/**
 * MobileNetV2: 3,504,872 parameters at width 1.0, 1,968,680 at width 0.5.
 *
 * Source: Sandler et al., arXiv 1801.04381, in the form of torchvision's `mobilenet_v2(width_mult=...)`, whose module names it uses.
 * @param width - factor of every layer's channels; the last convolution keeps 1,280 below 1
 */
export function buildMobilenetV2(seed: number, width = 1): ModelProto {
  const scaled = (channels: number) => divisibleBy8(channels * width);
  return buildImageNetwork(width === 1 ? 'mobilenetv2' : `mobilenetv2-${width}`, seed, (layers, input) => {
    let x = convNormRelu(layers, 'features.0', input, { channels: scaled(32), kernel: 3, stride: 2, padding: 1 });
    let module = 1;
    for (const [expansion, channels, blocks, firstStride] of stages) {
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? firstStride : 1;
        x = invertedResidual(layers, `features.${module++}.conv`, x, { expansion, channels: scaled(channels), stride });
      }
    }
    x = convNormRelu(layers, `features.${module}`, x, { channels: divisibleBy8(1280 * Math.max(1, width)), kernel: 1 });
    return layers.linear('classifier.1', layers.globalPool('pool', x), 1000, 'logits');
  });
}

/** The nearest multiple of 8 that is not more than a tenth below, as torchvision rounds channels. */
function divisibleBy8(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}

interface BlockOptions {
  readonly expansion: number;
  readonly channels: number;
  readonly stride: number;
}

/** Widen, filter each channel by itself, narrow without an activation; added to the input where the shape allows. */
function invertedResidual(layers: ImageLayers, name: string, input: Feature, options: BlockOptions): Feature {
  const { expansion, channels, stride } = options;
  const width = input.channels * expansion;
  let part = 0;
  let x = input;
  if (expansion !== 1) x = convNormRelu(layers, `${name}.${part++}`, x, { channels: width, kernel: 1 });
  const depthwise = { channels: width, kernel: 3, stride, padding: 1, groups: width };
  x = convNormRelu(layers, `${name}.${part++}`, x, depthwise);
  x = layers.conv(`${name}.${part++}`, x, { channels, kernel: 1, bias: false, gain: 1 });
  x = layers.batchNorm(`${name}.${part}`, x);
  return stride === 1 && input.channels === channels ? layers.add(`${name}.add`, input, x) : x;
}

function convNormRelu(layers: ImageLayers, name: string, input: Feature, options: ConvOptions): Feature {
  const x = layers.batchNorm(`${name}.1`, layers.conv(`${name}.0`, input, { ...options, bias: false }));
  return layers.relu6(`${name}.2`, x);
}
