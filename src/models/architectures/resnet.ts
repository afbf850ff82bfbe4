import type { ConvOptions, Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';
import { buildImageNetwork, type ImageForm } from './image-network.ts';

const channelsOfStage = [64, 128, 256, 512];

type Block = (layers: ImageLayers, name: string, input: Feature, channels: number, stride: number) => Feature;

/** Blocks in each stage, and which kind. */
const forms: Readonly<Record<18 | 34 | 50, { readonly blocks: readonly number[]; readonly block: Block }>> = {
  18: { blocks: [2, 2, 2, 2], block: basicBlock },
  34: { blocks: [3, 4, 6, 3], block: basicBlock },
  50: { blocks: [3, 4, 6, 3], block: bottleneck },
};

/**
 * ResNet-18, -34 and -50: 11,689,512, 21,797,672 and 25,557,032 parameters.
 *
 * Source: He et al., arXiv 1512.03385, in the form of torchvision's `resnet18`, `resnet34` and `resnet50` (which strides in the 3x3 convolution), whose module names it uses.
 */
export function buildResnet(depth: 18 | 34 | 50, seed: number): ModelProto {
  const { blocks, block } = forms[depth];
  return buildImageNetwork(`resnet${depth}`, seed, (layers, input) => {
    let x = convNorm(layers, 'conv1', 'bn1', input, { channels: 64, kernel: 7, stride: 2, padding: 3 });
    x = layers.maxPool('maxpool', layers.relu('relu', x), { kernel: 3, stride: 2, padding: 1 });
    for (const [stage, channels] of channelsOfStage.entries()) {
      for (let index = 0; index < (blocks[stage] ?? 0); index++) {
        const stride = stage > 0 && index === 0 ? 2 : 1;
        x = block(layers, `layer${stage + 1}.${index}`, x, channels, stride);
      }
    }
    return layers.linear('fc', layers.globalPool('avgpool', x), 1000, 'logits');
  });
}

/**
 * ResNet-20 for small images: three stages of three blocks of 16, 32 and 64 channels; 272,474 parameters over 32x32 colour images.
 *
 * Source: He et al., arXiv 1512.03385, section 4.2 (0.27 M parameters), with the projections of its section 3.3 where the shape changes.
 */
export function buildResnet20(seed: number, form: ImageForm): ModelProto {
  const body = (layers: ImageLayers, input: Feature) => {
    const stem = convNorm(layers, 'conv1', 'bn1', input, { channels: 16, kernel: 3, padding: 1 });
    let x = layers.relu('relu', stem);
    for (const [stage, channels] of [16, 32, 64].entries()) {
      for (let index = 0; index < 3; index++) {
        x = basicBlock(layers, `layer${stage + 1}.${index}`, x, channels, stage > 0 && index === 0 ? 2 : 1);
      }
    }
    return layers.linear('fc', layers.globalPool('avgpool', x), form.classes, 'logits');
  };
  return buildImageNetwork(`resnet20-${form.size}`, seed, body, form);
}

/** Two 3x3 convolutions beside a shortcut. */
function basicBlock(layers: ImageLayers, name: string, input: Feature, channels: number, stride: number): Feature {
  const first = layers.relu(
    `${name}.relu1`,
    convNorm(layers, `${name}.conv1`, `${name}.bn1`, input, { channels, kernel: 3, stride, padding: 1 }),
  );
  const second = convNorm(layers, `${name}.conv2`, `${name}.bn2`, first, { channels, kernel: 3, padding: 1, gain: 1 });
  const beside = shortcut(layers, name, input, channels, stride);
  return layers.relu(`${name}.relu2`, layers.add(`${name}.add`, second, beside));
}

/** A 3x3 convolution between two 1x1 ones that narrow and widen fourfold, beside a shortcut. */
function bottleneck(layers: ImageLayers, name: string, input: Feature, channels: number, stride: number): Feature {
  const part = (index: number, from: Feature, options: ConvOptions) =>
    convNorm(layers, `${name}.conv${index}`, `${name}.bn${index}`, from, options);
  const narrow = layers.relu(`${name}.relu1`, part(1, input, { channels, kernel: 1 }));
  const middle = layers.relu(`${name}.relu2`, part(2, narrow, { channels, kernel: 3, stride, padding: 1 }));
  const wide = part(3, middle, { channels: 4 * channels, kernel: 1, gain: 1 });
  const beside = shortcut(layers, name, input, 4 * channels, stride);
  return layers.relu(`${name}.relu3`, layers.add(`${name}.add`, wide, beside));
}

/** The input itself, or a 1x1 convolution of it where the shape changes. */
function shortcut(layers: ImageLayers, name: string, input: Feature, channels: number, stride: number): Feature {
  if (stride === 1 && input.channels === channels) return input;
  return convNorm(layers, `${name}.downsample.0`, `${name}.downsample.1`, input, {
    channels,
    kernel: 1,
    stride,
    gain: 1,
  });
}

function convNorm(layers: ImageLayers, conv: string, norm: string, input: Feature, options: ConvOptions): Feature {
  return layers.batchNorm(norm, layers.conv(conv, input, { ...options, bias: false }));
}
