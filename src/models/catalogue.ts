import leven from 'leven';
import type { ModelProto } from './onnx-schema.ts';

interface EntryBase {
  /** One line for `dse models list`. */
  readonly summary: string;
}

/** An architecture whose weights are drawn from a seed when it is first used: true in cost, not in answers. */
export interface SyntheticEntry extends EntryBase {
  readonly isSynthetic: true;
  readonly seed: number;
  /** SHA-256 of the file that `build` gives. A cached file is used only if it has this digest, and a build that gives another is refused. */
  readonly sha256: string;
  readonly build: (seed: number) => Promise<ModelProto>;
}

/** A file that ships with dse. */
export interface PinnedFile {
  /** Relative to dse's root. */
  readonly path: string;
  readonly sha256: string;
}

/** Labelled samples that ship with dse, and what makes their numbers into the tensor the model was trained on. */
export interface CatalogueDataset {
  readonly name: string;
  readonly samples: PinnedFile;
  readonly labels: PinnedFile;
  /** Training samples without labels, for calibration and refitting. */
  readonly calibration?: PinnedFile;
  readonly scale: number;
  readonly offset: number;
}

/** A trained model that ships with dse. */
export interface TrainedEntry extends EntryBase {
  readonly isSynthetic: false;
  /** Path relative to dse's root. */
  readonly file: string;
  readonly sha256: string;
  readonly dataset: CatalogueDataset;
}

export type CatalogueEntry = SyntheticEntry | TrainedEntry;

/** The models dse knows by name. Builders load only when used, so that asking for names stays cheap. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = {
  'squeezenet1.0': {
    summary: 'SqueezeNet 1.0, 224x224 images, 1.2 M parameters, 0.82 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'f5ee16d3b3abfe3ed0486288a074a4921f501a044695a4d415be8c8ae1b2f086',
    build: async (seed) => (await import('./architectures/squeezenet.ts')).buildSqueezenet10(seed),
  },
  'squeezenet1.1': {
    summary: 'SqueezeNet 1.1, 224x224 images, 1.2 M parameters, 0.35 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'c3ab2c1274561bb11e7e7def17caff9815e12d812457e308fc147734bfa9d285',
    build: async (seed) => (await import('./architectures/squeezenet.ts')).buildSqueezenet11(seed),
  },
  mobilenetv2: {
    summary: 'MobileNetV2, 224x224 images, 3.5 M parameters, 0.30 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '05643efc7cb951af17de844fc33f55bf0e608caf9d364fec6ab58321f8830a95',
    build: async (seed) => (await import('./architectures/mobilenet.ts')).buildMobilenetV2(seed),
  },
  'mobilenetv2-0.5': {
    summary: 'MobileNetV2 of half width, 224x224 images, 2.0 M parameters, 0.10 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'fda94e1b76543aaaecaf39d70484f97474ebb44d5e3c932c5fb730741c449fac',
    build: async (seed) => (await import('./architectures/mobilenet.ts')).buildMobilenetV2(seed, 0.5),
  },
  resnet18: {
    summary: 'ResNet-18, 224x224 images, 11.7 M parameters, 1.81 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '019ae1179b19a1f3027792ccf0662c799adfba02670be0bbff4472b2f3bb7848',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(18, seed),
  },
  resnet34: {
    summary: 'ResNet-34, 224x224 images, 21.8 M parameters, 3.66 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'd21bc80141ca8faa6702858c621e7589e4595feff7e5ab0d1698caf9ae878ff5',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(34, seed),
  },
  resnet50: {
    summary: 'ResNet-50, 224x224 images, 25.6 M parameters, 4.09 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '6b8e6aced77db0094945e4531467044b19db8d939e7f93a3fb9644acef35ba6d',
    build: async (seed) => (await import('./architectures/resnet.ts')).buildResnet(50, seed),
  },
  densenet121: {
    summary: 'DenseNet-121, 224x224 images, 8.0 M parameters, 2.83 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: 'bbfe2df430024f33567a6a8bc2e044395ccf1811ff6dfbc7126384a92a56dd61',
    build: async (seed) => (await import('./architectures/densenet.ts')).buildDensenet121(seed),
  },
  'bert-tiny': {
    summary: 'BERT of 2 layers of 128, texts of 128 tokens, 4.4 M parameters, 0.06 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '6f1e4fecc04ff8f112c679969fec64820015a53a4fdb4aeee34f9be6154b320d',
    build: async (seed) => {
      const { buildBert, bertTiny } = await import('./architectures/bert.ts');
      return buildBert(bertTiny, seed);
    },
  },
  'minilm-l6': {
    summary: 'BERT of 6 layers of 384 (MiniLM-L6), texts of 128 tokens, 22.7 M parameters, 1.44 G multiply-adds',
    isSynthetic: true,
    seed: 1,
    sha256: '1b4bce3cae91ec57b982735bec028e9992bfbcb58a3356356ebc5338f2d8a148',
    build: async (seed) => {
      const { buildBert, miniLmL6 } = await import('./architectures/bert.ts');
      return buildBert(miniLmL6, seed);
    },
  },
  'mnist-cnn': {
    summary:
      'a small convolutional network trained on MNIST digits, 28x28 images, 0.1 M parameters, 99.3 % of the test set right',
    isSynthetic: false,
    file: 'models/mnist-cnn.onnx',
    sha256: '8bc56625d91f14d2b0a327e095082dfa49c8db2893cac4e755dd89c964838879',
    dataset: {
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
    },
  },
};

export function modelNames(): string[] {
  return Object.keys(catalogue);
}

/** Whether the catalogue has the name. A user's own file is named by its path instead; see `isModelPath`. */
export function isKnownModel(name: string): boolean {
  return Object.hasOwn(catalogue, name);
}

/** Whether a model is named by the path of a file: it ends in .onnx or holds a slash. */
export function isModelPath(name: string): boolean {
  return /\.onnx$|[\\/]/i.test(name);
}

/** Names of the catalogue close to the one given, nearest first; none where nothing is close. */
export function nearestModelNames(name: string): string[] {
  const wanted = simplify(name);
  return modelNames()
    .map((known) => ({ known, distance: distanceTo(wanted, simplify(known)) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .map(({ known }) => known);
}

/** Letters and digits only: "SqueezeNet-1.1" and "squeezenet1_1" are one name to a reader. */
function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Nothing where one name is the start of the other, else the Levenshtein distance. */
function distanceTo(wanted: string, known: string): number {
  if (wanted.length >= 3 && (known.startsWith(wanted) || wanted.startsWith(known))) return 0;
  return leven(wanted, known);
}
