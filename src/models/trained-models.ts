import type { CatalogueDataset, TrainedEntry } from './catalogue-entry.ts';
import { MNIST_IMAGES } from './images/presets.ts';
import { mnistFamilies } from './mnist-families.ts';

const MNIST: CatalogueDataset = {
  name: 'mnist-test-1000',
  samples: {
    path: 'models/mnist-test-1000-images.idx',
    sha256: 'b6ae2d01d1ff943b6bb4481796c2c2d2a2cd58d2fd0824286392e26837f2e249',
  },
  labels: {
    path: 'models/mnist-test-1000-labels.idx',
    sha256: '4f33f1821ef3228529d33f3949b8fe801416971d0087db25dec40199864edb6e',
  },
  calibration: {
    path: 'models/mnist-calibration-500-images.idx',
    sha256: 'cce2d20656af6859abec044b85402e907969054b6ad0496a55a0f83f99c8bd18',
  },
  // (pixel / 255 - mean) / sd, with the mean and deviation of the training images, as experiments/mnist-cnn/train.py feeds them.
  scale: 1 / (255 * 0.3081),
  offset: -0.1307 / 0.3081,
};

/** Models that ship with dse, each with labelled samples it was not trained on. */
export const trainedModels: Readonly<Record<string, TrainedEntry>> = {
  'mnist-cnn': {
    summary:
      'a small convolutional network trained on MNIST digits, 28x28 images, 0.1 M parameters, 99.3 % of the test set right',
    isSynthetic: false,
    file: 'models/mnist-cnn.onnx',
    sha256: '8bc56625d91f14d2b0a327e095082dfa49c8db2893cac4e755dd89c964838879',
    dataset: MNIST,
    image: MNIST_IMAGES,
  },
  ...mnistFamilies(MNIST),
  'japanese-vowels': {
    summary:
      'an InceptionTime-like network trained to tell nine speakers apart, series of 12 channels and 25 readings, 0.02 M parameters, 98.6 % of the test set right',
    isSynthetic: false,
    file: 'models/japanese-vowels.onnx',
    sha256: 'b86636c67000f7a5f5e28eb450964699f5cc1c1e85c7b9d2450263a486fe05fd',
    dataset: {
      name: 'japanese-vowels-test',
      samples: {
        path: 'models/japanese-vowels-test.npy',
        sha256: 'bafc1e7e16d0b74c954f8661c1d66f6f5f44bc2a2d833e6cb116a6b85bbd9c6b',
      },
      labels: {
        path: 'models/japanese-vowels-test-labels.npy',
        sha256: '714c2d11a881762564725105a9f16c91b198a2b5f1d6ea7421df4e5a7c378636',
      },
      calibration: {
        path: 'models/japanese-vowels-calibration.npy',
        sha256: '4ca1d8e9fc61ab8758230ede42968d9dc2deeb29405f218ebc8d948b64c3b7ab',
      },
      scale: 1,
      offset: 0,
    },
  },
  magika: {
    summary:
      "Google's magika 3.3, which tells 214 types of text, code and other files from their first and last bytes, 0.8 M parameters, 0.37 G multiply-adds",
    isSynthetic: false,
    file: 'models/magika/magika-3.3.onnx',
    sha256: 'fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c',
    dataset: {
      name: 'source-files-161',
      samples: {
        path: 'models/magika/test.npy',
        sha256: '484a46429959f91f24e91f1c42e01fc70d7e8f1ee03b2182d9445f0e8065896a',
      },
      labels: {
        path: 'models/magika/test-labels.npy',
        sha256: '0e7d0764fa5a7479c2be70d32f76aeb49c2f299793e52f2bd71fdfca04152ec5',
      },
      scale: 1,
      offset: 0,
    },
  },
};
