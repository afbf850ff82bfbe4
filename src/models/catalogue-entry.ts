import type { ImageDescription } from './images/types.ts';
import type { ModelProto } from './onnx-schema.ts';

interface EntryBase {
  /** One line for `dse models list`. */
  readonly summary: string;
  /** How images become its input; absent where they do not. */
  readonly image?: ImageDescription;
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
  /** Variants that were trained, and so ship with dse instead of being made by it: by the name a spec gives them. */
  readonly variants?: Readonly<Record<string, PinnedFile>>;
}

export type CatalogueEntry = SyntheticEntry | TrainedEntry;
