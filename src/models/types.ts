import type { ImageDescription } from './images/types.ts';

export type { FusionSettings } from './fused-outputs.ts';
export type { ClassScore, ImageDescription, ImageSize } from './images/types.ts';

/** Tensor element types, as ONNX names them in lower case. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'string';

/** An input or output of a model. A dimension is a number, or a string where the model leaves it open (e.g. "batch"). */
export interface TensorSpec {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
}

/** Labelled examples that belong to a model, so that requests carry real inputs and served answers can be scored. */
export interface DatasetRef {
  readonly name: string;
  /** File of the samples [count, ...], IDX or NPY, absolute path. */
  readonly samples: string;
  /** File of the labels [count], IDX or NPY, absolute path. */
  readonly labels: string;
  /** File of further samples, none of them among `samples`: for calibration and refitting. Absolute path. */
  readonly calibration?: string;
  /** The tensor fed is value * scale + offset. */
  readonly scale: number;
  readonly offset: number;
}

/** A model that can be served: a file, what goes in and out, and what is known about its cost. */
export interface ResolvedModel {
  /** As the spec names it, e.g. "squeezenet1.1" or "models/mine.onnx". */
  readonly name: string;
  readonly variant: string;
  /** Absolute path of the ONNX file. */
  readonly file: string;
  /** Absolute paths of the files beside it in which its weights stand. */
  readonly dataFiles: readonly string[];
  /** SHA-256 of the file, hex; where weights stand in files beside it, over those too, after it and in the order of their paths. */
  readonly digest: string;
  /** True where weights were drawn from a seed: true in cost, not in answers. Named `synthetic weights` wherever a user sees the model. */
  readonly isSynthetic: boolean;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Sizes that requests give to dimensions that the inputs leave open besides the batch, by name, e.g. { sequence: 128 }. */
  readonly dims: Readonly<Record<string, number>>;
  /** Weights and biases as torchvision counts them; batch-norm statistics, scalars and quantisation scales are not parameters. */
  readonly params: number;
  /** Multiply-adds of one item (batch 1, sequences as long as `dims` says) in convolutions and matrix products; undefined where a part of them cannot be known from the file. */
  readonly macs: number | undefined;
  /** Of the file, and of the files its weights stand in. */
  readonly sizeBytes: number;
  /** What dse did to the model since its base file; undefined for a file that dse did not rewrite. */
  readonly lineage: Lineage | undefined;
  /** What a user must know before trusting its answers or speed, a sentence each. */
  readonly caveats: readonly string[];
  readonly dataset: DatasetRef | undefined;
  /** How images become its input; undefined where nothing says so. */
  readonly image?: ImageDescription | undefined;
}

/** Where a model comes from: the file it started as, and what was done to it since, in order. */
export interface Lineage {
  /** SHA-256 of the file that the first step read, hex. */
  readonly base: string;
  readonly steps: readonly LineageStep[];
}

/** One thing that was done to a model, with what decided how. */
export interface LineageStep {
  readonly step: string;
  readonly [parameter: string]: string | number | boolean;
}

/** Inputs of one request: tensors in the model's input order, and the label of each item where the samples are labelled. */
export interface SampleBatch {
  readonly tensors: readonly NamedTensor[];
  /** One per item of the batch. */
  readonly labels: readonly number[] | undefined;
}

export interface NamedTensor {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** Elements in row-major order. int64 and uint64 are BigInt arrays; float16 is its bits in a Uint16Array; bool is one byte each. */
  readonly data: TensorData;
}

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];
