import type { CatalogueDataset, TrainedEntry } from './catalogue-entry.ts';
import { MNIST_IMAGES } from './images/presets.ts';

/** The three families of experiments/mnist-families, smallest first: what the log of its training says of each file. */
const files: Readonly<Record<string, FamilyFiles>> = {
  'cnn-s': {
    about: 'three convolutions of 4, 8 and 16 filters',
    params: 2_982,
    correct: 9_767,
    sha256: {
      fp32: 'a8a2b02b0824c2d40f46b9c8ec40a835ef5e9a8497707f9ec0c377290c8a7479',
      'pruned-50-finetuned': 'bbb8c6bbe83e2647b9125ccc4fff629198b713923b0f6b743dc408fad73e96fa',
      distilled: 'f27b4505a9949b42013dc2edb002f64be05e67e42609293b816e883b283ced12',
    },
  },
  'cnn-m': {
    about: 'three convolutions of 8, 16 and 32 filters',
    params: 8_834,
    correct: 9_859,
    sha256: {
      fp32: '8d4ae1710a7ee941d73137cd54eb64b375681e625feb5c7d439ae41f7b7aa92c',
      'pruned-50-finetuned': '75fcd30ffe5aa9066f9a6ff3ad2be6b61021ae2da016ee6c2323a4462b52ee36',
      distilled: '0f426f13a8e54556bb59e66811b05f4aaa48424db8f0b6ee0b63c40865bf4525',
    },
  },
  'cnn-l': {
    about: 'three convolutions of 12, 24 and 48 filters',
    params: 17_566,
    correct: 9_885,
    sha256: {
      fp32: 'a73c6fe3ecf8a029e8704ea93d65bea1276ce44e239cb9f43429061d6b1a649e',
      'pruned-50-finetuned': 'a4eba530f85ea1787a8a7aaaa19a62f6327183cc848e60befdbf28f16a48b825',
      distilled: 'f28987ae89470862c833d3ae14b10ade53804a48d103cd353184d66365fae4c1',
    },
  },
  'resnet-s': {
    about: 'a ResNet of three blocks of 4, 8 and 16 filters',
    params: 5_142,
    correct: 9_624,
    sha256: {
      fp32: '0308f190d566aeb24c25513854720dafd22baf53e6f7883576acabf51273c059',
      'pruned-50-finetuned': '8715ff9b3e1805cba23b45df84ae734241c3ddb6cd323fb455068e9b68b2324d',
      distilled: '0160dfc4cb3fa8e2eee775c5b8f3b6da433cb546deacc52527337b3c73f76ca0',
    },
  },
  'resnet-m': {
    about: 'a ResNet of three blocks of 8, 16 and 32 filters',
    params: 19_810,
    correct: 9_867,
    sha256: {
      fp32: '78a80135fd7f5d447d436f72fa515c532b6bcbd421ed93728eb676f8c3490e9b',
      'pruned-50-finetuned': '5ad5846126ecac40d49ea537ec1636ea2279ee72949927b30003ddbaabe2843f',
      distilled: '690a717351a1996be4519109733e3b4560c774bce9b6d589fe08e9de601a3850',
    },
  },
  'resnet-l': {
    about: 'a ResNet of three blocks of 12, 24 and 48 filters',
    params: 44_014,
    correct: 9_881,
    sha256: {
      fp32: 'f9f14c55788f21df15034c1ae330ead996cc964b9937b08ec846d39b928558a8',
      'pruned-50-finetuned': '12e5830040b49965b1d80b4f0c0f4f39882f33829c6d765e52f3b8bfed5264b3',
      distilled: '2fb613b54bb96f141d24a80b87293684af4fd60df887f109a466b60c14c78f84',
    },
  },
  'mobilenet-s': {
    about: 'a MobileNet of four inverted residual blocks, 4 to 16 channels',
    params: 3_870,
    correct: 9_646,
    sha256: {
      fp32: '8794f7fe38572ee40b3012bff9540bbee5c2ea73748d2b9d713ce9c39e1a3bd6',
      'pruned-50-finetuned': '2c9c7c6ef78ce21e4bc045a58a68aac39956ee938a8f005af6c537aae5c71409',
      distilled: 'c86c7a85b3ceb1e602825d59965c146fecc848405fe81ffd2f11948ee853e6e4',
    },
  },
  'mobilenet-m': {
    about: 'a MobileNet of four inverted residual blocks, 8 to 32 channels',
    params: 11_954,
    correct: 9_785,
    sha256: {
      fp32: '827256ab23bf0b6015f9c2fadf180ef4dc001a541080c3292677686b21efd340',
      'pruned-50-finetuned': '586e62a3878e7736720751bb1df87e9244c865607d971badc8cfadcfffcc2e05',
      distilled: 'cc030b5aae16dc48af7c2716b9fe268388b59ba6abc43e88a4670c649439d345',
    },
  },
  'mobilenet-l': {
    about: 'a MobileNet of four inverted residual blocks, 12 to 48 channels',
    params: 24_262,
    correct: 9_884,
    sha256: {
      fp32: '60f4359e33675d741878df88a0f05ea484628335eb6772b4e1f4c083dcf0539c',
      'pruned-50-finetuned': '4a344d31ed33afecde51ccbdf64e2b031e752d5a4d67f6a38e2f04ff275b98d7',
      distilled: '55f07cd58d38d10f676bdc7ceb7b45ba67bf99fbed1e9ff709a249ad3add7be8',
    },
  },
};

interface FamilyFiles {
  readonly about: string;
  readonly params: number;
  /** Of the 10,000 test images. */
  readonly correct: number;
  /** SHA-256 by variant; "fp32" is the base. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** Catalogue entries of the families, named mnist-{family}-{size}, with the variants that were trained beside each. */
export function mnistFamilies(dataset: CatalogueDataset): Record<string, TrainedEntry> {
  return Object.fromEntries(
    Object.entries(files).map(([name, { about, params, correct, sha256 }]): [string, TrainedEntry] => {
      const { fp32 = '', ...variants } = sha256;
      const trained = Object.entries(variants).map(([variant, digest]) => [
        variant,
        { path: `models/mnist/${name}-${variant}.onnx`, sha256: digest },
      ]);
      return [
        `mnist-${name}`,
        {
          summary: `${about} trained on MNIST digits, ${(params / 1000).toFixed(1)} k parameters, ${(correct / 100).toFixed(1)} % of the test set right; trained variants: ${Object.keys(variants).join(', ')}`,
          isSynthetic: false,
          file: `models/mnist/${name}.onnx`,
          sha256: fp32,
          dataset,
          image: MNIST_IMAGES,
          variants: Object.fromEntries(trained),
        },
      ];
    }),
  );
}
