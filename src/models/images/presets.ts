import type { ImageDescription } from './types.ts';

const SYNTHETIC = 'the weights are synthetic: true in cost, not in answers';

/** As models trained on ImageNet take photographs. Source: torchvision, `transforms` of its ImageNet weights. */
export const IMAGENET_IMAGES: ImageDescription = {
  channels: 'rgb',
  layout: 'nchw',
  resize: { shorterSide: 256 },
  crop: { width: 224, height: 224 },
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** White digits on black, as models trained on MNIST take them: mean and deviation are of its training images. */
export const MNIST_IMAGES: ImageDescription = {
  channels: 'grey',
  layout: 'nchw',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0.1307],
  std: [0.3081],
  labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
};

const SMALL_SYNTHETIC = {
  layout: 'nchw',
  kernel: 'linear',
  scale: 1 / 255,
  mean: [0.5],
  std: [0.5],
  caveat: SYNTHETIC,
} as const;

/** For architectures of drawn weights. They know no classes, so their answers have numbers and no labels. */
export const SYNTHETIC_IMAGES = {
  imagenet: { ...IMAGENET_IMAGES, caveat: SYNTHETIC },
  grey: { ...SMALL_SYNTHETIC, channels: 'grey' },
  colour: { ...SMALL_SYNTHETIC, channels: 'rgb' },
} as const satisfies Readonly<Record<string, ImageDescription>>;
