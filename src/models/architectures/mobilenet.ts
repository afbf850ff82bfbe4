import type { ConvOptions, Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork, IMAGENET, type ImageForm } from './image-network.ts';

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
  const name = width === 1 ? 'mobilenetv2' : `mobilenetv2-${width}`;
  return buildImageNetwork(name, seed, mobilenetBody(width, [2, 2], IMAGENET.classes));
}

/** MobileNetV2 for small images: the first two halvings are left out, and ten classes. 2,236,682 parameters over 32x32 colour images. */
export function buildSmallMobilenetV2(seed: number, form: ImageForm): ModelProto {
  return buildImageNetwork(`mobilenetv2-${form.size}`, seed, mobilenetBody(1, [1, 1], form.classes), form);
}

/** @param firstStrides - of the stem, and of the first stage that the paper gives a stride of 2 */
function mobilenetBody(width: number, firstStrides: readonly [number, number], classes: number) {
  const scaled = (channels: number) => divisibleBy8(channels * width);
  return (layers: ImageLayers, input: Feature): Feature => {
    const strides = [1, firstStrides[1]];
    const stem = { channels: scaled(32), kernel: 3, stride: firstStrides[0], padding: 1 };
    let x = convNormRelu(layers, 'features.0', input, stem);
    let module = 1;
    for (const [stage, [expansion, channels, blocks, paperStride]] of stages.entries()) {
      for (let block = 0; block < blocks; block++) {
        const stride = block === 0 ? (strides[stage] ?? paperStride) : 1;
        x = invertedResidual(layers, `features.${module++}.conv`, x, { expansion, channels: scaled(channels), stride });
      }
    }
    x = convNormRelu(layers, `features.${module}`, x, { channels: divisibleBy8(1280 * Math.max(1, width)), kernel: 1 });
    return layers.linear('classifier.1', layers.globalPool('pool', x), classes, 'logits');
  };
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
