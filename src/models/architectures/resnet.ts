import type { ConvOptions, Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork } from './image-network.ts';

const channelsOfStage = [64, 128, 256, 512];
const blocksOfStage = [2, 2, 2, 2];

/**
 * ResNet-18: 11,689,512 parameters.
 *
 * Source: He et al., arXiv 1512.03385, in the form of torchvision's `resnet18`, whose module names it uses.
 */
export function buildResnet18(seed: number): ModelProto {
  return buildImageNetwork('resnet18', seed, (layers, input) => {
    let x = convNorm(layers, 'conv1', 'bn1', input, { channels: 64, kernel: 7, stride: 2, padding: 3 });
    x = layers.maxPool('maxpool', layers.relu('relu', x), { kernel: 3, stride: 2, padding: 1 });
    for (const [stage, channels] of channelsOfStage.entries()) {
      for (let block = 0; block < (blocksOfStage[stage] ?? 0); block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = basicBlock(layers, `layer${stage + 1}.${block}`, x, channels, stride);
      }
    }
    return layers.linear('fc', layers.globalPool('avgpool', x), 1000, 'logits');
  });
}

/** Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes. */
function basicBlock(layers: ImageLayers, name: string, input: Feature, channels: number, stride: number): Feature {
  const first = layers.relu(
    `${name}.relu1`,
    convNorm(layers, `${name}.conv1`, `${name}.bn1`, input, { channels, kernel: 3, stride, padding: 1 }),
  );
  const second = convNorm(layers, `${name}.conv2`, `${name}.bn2`, first, { channels, kernel: 3, padding: 1, gain: 1 });
  const isSameShape = stride === 1 && input.channels === channels;
  const shortcut = isSameShape
    ? input
    : convNorm(layers, `${name}.downsample.0`, `${name}.downsample.1`, input, { channels, kernel: 1, stride, gain: 1 });
  return layers.relu(`${name}.relu2`, layers.add(`${name}.add`, second, shortcut));
}

function convNorm(layers: ImageLayers, conv: string, norm: string, input: Feature, options: ConvOptions): Feature {
  return layers.batchNorm(norm, layers.conv(conv, input, { ...options, bias: false }));
}
