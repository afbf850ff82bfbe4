/** How an image becomes a model's input, and what the model's classes are called. */
export interface ImageDescription {
  /** What the model's channels are, in their order. Grey is ITU-R 601 luma: 0.299 R + 0.587 G + 0.114 B. */
  readonly channels: 'rgb' | 'bgr' | 'grey';
  /** Order of the input's dimensions behind the batch: channels first, or last. */
  readonly layout: 'nchw' | 'nhwc';
  /** Size of the centre that is cut out after resizing, pixels; the model's input where absent. */
  readonly crop?: ImageSize;
  /** What the image is resized to before: a size, or its shorter side, the other in proportion. The crop's size where absent. */
  readonly resize?: ImageSize | { readonly shorterSide: number };
  /** Weights of the pixels that a resized pixel is made of; shrinking widens them, so that nothing is left out. */
  readonly kernel: Kernel;
  /** The input is (value * scale - mean) / std of values 0 to 255; mean and std for each channel, or one for all. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Names of the classes, in their order. */
  readonly labels?: readonly string[];
  /** What a user must know before trusting an answer; comes with each. */
  readonly caveat?: string;
}

export type Kernel = 'nearest' | 'linear' | 'cubic' | 'lanczos3';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** One of the classes an image was judged to be of. */
export interface ClassScore {
  readonly class: number;
  /** Its name; undefined where the model's classes have none. */
  readonly label: string | undefined;
  /** As the model gave it. */
  readonly score: number;
  /** Share of the softmax over all classes, or the score itself where the model gives probabilities. */
  readonly probability: number;
}
