import { IMAGENET_IMAGES } from '../images/presets.ts';
import type { ImageDescription } from '../images/types.ts';

/** A model that can be downloaded: where from, and what must arrive. */
export interface RemoteModel {
  readonly summary: string;
  readonly url: string;
  readonly sha256: string;
  readonly bytes: number;
  /** How images become its input; absent where nothing says so. */
  readonly image?: ImageDescription;
}

function zooModel(summary: string, commit: string, path: string, sha256: string, bytes: number): RemoteModel {
  const url = `https://github.com/onnx/models/raw/${commit}/validated/vision/classification/${path}`;
  const isImagenet = summary.includes('ImageNet');
  return { summary, url, sha256, bytes, ...(isImagenet && { image: IMAGENET_IMAGES }) };
}

const FIRST = '4c46cd00fbdb7cd30b6c1c17ab54f2e1f4f7b177';
const SECOND = '2a67a85e670e61bf9819e9df6dae3771974552ff';

/**
 * Models of the official ONNX model zoo, by name.
 *
 * Digests and sizes are those of the Git LFS pointers at the commit in each address; models whose pointer we have not read are left out.
 * Source: https://github.com/onnx/models
 */
export const zoo: Readonly<Record<string, RemoteModel>> = {
  'zoo-squeezenet1.0-8': zooModel(
    'SqueezeNet 1.0, ImageNet, operator set 8',
    FIRST,
    'squeezenet/model/squeezenet1.0-8.onnx',
    '3c0bff2f7c984350d3ffa98e0167dc08c15da88f05d0c31989ebeba6fbb5e025',
    4_952_222,
  ),
  'zoo-resnet18-v2-7': zooModel(
    'ResNet-18 v2, ImageNet, operator set 7',
    SECOND,
    'resnet/model/resnet18-v2-7.onnx',
    '3b4d048057854022232aa20bf68262e31718ab7119a17f920b8a2dc1433f824b',
    46_806_737,
  ),
  'zoo-resnet50-v1-12-int8': zooModel(
    'ResNet-50 v1 on 8-bit integers, ImageNet, operator set 12',
    FIRST,
    'resnet/model/resnet50-v1-12-int8.onnx',
    'c234f30975989788b4405f25253275aae247ab6dbdd34aaa69ab0a59ff76f6d0',
    25_816_052,
  ),
  'zoo-densenet-12': zooModel(
    'DenseNet-121, ImageNet, operator set 12',
    FIRST,
    'densenet-121/model/densenet-12.onnx',
    '0294e7e88e5b3360de9b0fdc321baf9e6ef18b7f058c4536caae3b9f18ed9ed5',
    32_726_877,
  ),
  'zoo-shufflenet-v2-12': zooModel(
    'ShuffleNet v2, ImageNet, operator set 12',
    FIRST,
    'shufflenet/model/shufflenet-v2-12.onnx',
    'ea69821b4dd374ae2f33f9710dd1229ac263d0ee5b5a46ca3521f6483e1ba035',
    9_218_556,
  ),
  'zoo-mnist-8': zooModel(
    'a small network for MNIST, operator set 8',
    SECOND,
    'mnist/model/mnist-8.onnx',
    '2f06e72de813a8635c9bc0397ac447a601bdbfa7df4bebc278723b958831c9bf',
    26_454,
  ),
};
