import type { SyntheticEntry } from './catalogue-entry.ts';
import { SYNTHETIC_IMAGES } from './images/presets.ts';

/** Published architectures with weights drawn from a seed: image, then text, then time series. Builders load only when used. */
export const syntheticModels: Readonly<Record<string, SyntheticEntry>> = {
  'squeezenet1.0': {
    summary: 'SqueezeNet 1.0, 224x224 images, 1.2 M parameters, 0.82 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: 'f5ee16d3b3abfe3ed0486288a074a4921f501a044695a4d415be8c8ae1b2f086',
    build: async (seed) => (await import('./architectures/squeezenet.ts')).buildSqueezenet10(seed),
  },
  'squeezenet1.1': {
    summary: 'SqueezeNet 1.1, 224x224 images, 1.2 M parameters, 0.35 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: 'c3ab2c1274561bb11e7e7def17caff9815e12d812457e308fc147734bfa9d285',
    build: async (seed) => (await import('./architectures/squeezenet.ts')).buildSqueezenet11(seed),
  },
  mobilenetv2: {
    summary: 'MobileNetV2, 224x224 images, 3.5 M parameters, 0.30 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: '05643efc7cb951af17de844fc33f55bf0e608caf9d364fec6ab58321f8830a95',
    build: async (seed) => (await import('./architectures/mobilenet.ts')).buildMobilenetV2(seed),
  },
  'mobilenetv2-0.5': {
    summary: 'MobileNetV2 of half width, 224x224 images, 2.0 M parameters, 0.10 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: 'fda94e1b76543aaaecaf39d70484f97474ebb44d5e3c932c5fb730741c449fac',
    build: async (seed) => (await import('./architectures/mobilenet.ts')).buildMobilenetV2(seed, 0.5),
  },
  resnet18: {
    summary: 'ResNet-18, 224x224 images, 11.7 M parameters, 1.81 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: '019ae1179b19a1f3027792ccf0662c799adfba02670be0bbff4472b2f3bb7848',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(18, seed),
  },
  resnet34: {
    summary: 'ResNet-34, 224x224 images, 21.8 M parameters, 3.66 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: 'd21bc80141ca8faa6702858c621e7589e4595feff7e5ab0d1698caf9ae878ff5',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(34, seed),
  },
  resnet50: {
    summary: 'ResNet-50, 224x224 images, 25.6 M parameters, 4.09 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: '6b8e6aced77db0094945e4531467044b19db8d939e7f93a3fb9644acef35ba6d',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(50, seed),
  },
  densenet121: {
    summary: 'DenseNet-121, 224x224 images, 8.0 M parameters, 2.83 G multiply-adds',
    image: SYNTHETIC_IMAGES.imagenet,
    isSynthetic: true,
    seed: 1,
    sha256: 'bbfe2df430024f33567a6a8bc2e044395ccf1811ff6dfbc7126384a92a56dd61',
    build: async (seed) => (await import('./architectures/densenet.ts')).buildDensenet121(seed),
  },
  'resnet20-28': {
    summary: 'ResNet-20, 28x28 grey images, 0.27 M parameters, 0.03 G multiply-adds',
    image: SYNTHETIC_IMAGES.grey,
    isSynthetic: true,
    seed: 1,
    sha256: 'c90666465df9b975c5375779edfa370e9bf9172c082b264817d6249baa03ffad',
    build: async (seed) =>
      (await import('./architectures/resnet.ts')).buildResnet20(
        seed,
        (await import('./architectures/image-network.ts')).GREY_28,
      ),
  },
  'resnet20-32': {
    summary: 'ResNet-20, 32x32 images, 0.27 M parameters, 0.04 G multiply-adds',
    image: SYNTHETIC_IMAGES.colour,
    isSynthetic: true,
    seed: 1,
    sha256: 'f47bcb3a5df2b32f27308d01cbf6c480e50db4551badaf978abef33340393319',
    build: async (seed) =>
      (await import('./architectures/resnet.ts')).buildResnet20(
        seed,
        (await import('./architectures/image-network.ts')).COLOUR_32,
      ),
  },
  'densenet40-28': {
    summary: 'DenseNet-40 of growth 12, 28x28 grey images, 1.0 M parameters, 0.20 G multiply-adds',
    image: SYNTHETIC_IMAGES.grey,
    isSynthetic: true,
    seed: 1,
    sha256: 'c92549b992cddcc8edd27b429f6e570c0a8cf9670bec13753aba3e68bcd169c2',
    build: async (seed) =>
      (await import('./architectures/densenet.ts')).buildDensenet40(
        seed,
        (await import('./architectures/image-network.ts')).GREY_28,
      ),
  },
  'densenet40-32': {
    summary: 'DenseNet-40 of growth 12, 32x32 images, 1.0 M parameters, 0.26 G multiply-adds',
    image: SYNTHETIC_IMAGES.colour,
    isSynthetic: true,
    seed: 1,
    sha256: '5597bdacc444bf5a04c91e23ce3c6a825e4687b92b69fbd22ed73f873dbe1352',
    build: async (seed) =>
      (await import('./architectures/densenet.ts')).buildDensenet40(
        seed,
        (await import('./architectures/image-network.ts')).COLOUR_32,
      ),
  },
  'mobilenetv2-28': {
    summary: 'MobileNetV2 for small images, 28x28 grey, 2.2 M parameters, 0.07 G multiply-adds',
    image: SYNTHETIC_IMAGES.grey,
    isSynthetic: true,
    seed: 1,
    sha256: 'cdff336e24af9cb39861f4bab9b38ddc395e7026895278be8dc567b7e5562d21',
    build: async (seed) =>
      (await import('./architectures/mobilenet.ts')).buildSmallMobilenetV2(
        seed,
        (await import('./architectures/image-network.ts')).GREY_28,
      ),
  },
  'mobilenetv2-32': {
    summary: 'MobileNetV2 for small images, 32x32, 2.2 M parameters, 0.09 G multiply-adds',
    image: SYNTHETIC_IMAGES.colour,
    isSynthetic: true,
    seed: 1,
    sha256: 'afde6dbcec716a941bda907395be4bcf92329e876847d3565cb2968461a56370',
    build: async (seed) =>
      (await import('./architectures/mobilenet.ts')).buildSmallMobilenetV2(
        seed,
        (await import('./architectures/image-network.ts')).COLOUR_32,
      ),
  },
  'bert-tiny': {
    summary:
      'BERT of 2 layers of 128, texts of 128 tokens (sequence_length: up to 512), 4.4 M parameters, 0.06 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'ec26595a8d06e05a75dad48aff1dfdaed52e1245c9b56875c8ea587c320c99d9',
    build: async (seed) => {
      const { buildBert, bertTiny } = await import('./architectures/bert.ts');
      return buildBert(bertTiny, seed);
    },
  },
  'minilm-l6': {
    summary:
      'BERT of 6 layers of 384 (MiniLM-L6), texts of 128 tokens (sequence_length: up to 512), 22.7 M parameters, 1.44 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '747ed8050678e92db84e9a12f2b82ca8a13a1ff15b12d53aa0601acd7bd3e20d',
    build: async (seed) => {
      const { buildBert, miniLmL6 } = await import('./architectures/bert.ts');
      return buildBert(miniLmL6, seed);
    },
  },
  inceptiontime: {
    summary:
      'one InceptionTime network, series of 128 readings (sequence_length: any), 0.42 M parameters, 0.05 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'b2aa5184317592604e001fe56a8319f9ccd6e12838fccc7ce83f13532dcf0f21',
    build: async (seed) => (await import('./architectures/time-series.ts')).buildInceptionTime(seed),
  },
  lstm: {
    summary:
      'two LSTM layers of 128, series of 128 readings (sequence_length: any), 0.20 M parameters, 0.03 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '724d93c5d0b31b7aa3927f4aa907f30a7979f1721a8c4dec74407c5e5463564a',
    build: async (seed) => (await import('./architectures/time-series.ts')).buildLstm(seed),
  },
};
