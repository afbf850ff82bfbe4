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
 * MobileNetV2, width 1.0: 3,504,872 parameters.
 *
 * Source: Sandler et al., arXiv 1801.04381, in the form of torchvision's `mobilenet_v2`, whose module names it uses.
 */
export function buildMobilenetV2(seed: number): ModelProto {
  return buildImageNetwork('mobilenetv2', seed, (layers, input) => {
    let x = convNormRelu(layers, 'features.0', input, { channels: 32, kernel: 3, stride: 2, padding: 1 });
    let module = 1;
    for (const [expansion, channels, blocks, firstStride] of stages) {
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? firstStride : 1;
        x = invertedResidual(layers, `features.${module++}.conv`, x, { expansion, channels, stride });
      }
    }
    x = convNormRelu(layers, `features.${module}`, x, { channels: 1280, kernel: 1 });
    return layers.linear('classifier.1', layers.globalPool('pool', x), 1000, 'logits');
  });
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
