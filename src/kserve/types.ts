import type { NamedTensor, TensorSpec } from '../models/types.ts';

/** The two REST encodings of tensors: numbers in the JSON object, or bytes after it (the binary tensor data extension). */
export type RestProtocol = 'rest-json' | 'rest-binary';

/** The HTTP interface of a server: KServe V2, or TensorFlow Serving's predict. */
export type InferenceApi = 'kserve-v2' | 'tensorflow-serving';

/** HTTP header fields by name. Names are matched without regard to case when read and are in lower case when written. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One side's HTTP message: header fields in lower case and the bytes of the body. */
export interface WireMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Values a client or server may attach to a request, a response or a tensor. */
export type Parameters = Readonly<Record<string, unknown>>;

/** The outputs that an answer is to hold. */
export interface WantedOutputs {
  /** Names, in the order they were asked for; all outputs of the model, in its order, where none was named. */
  readonly outputs: readonly string[];
  /** Names of those to send as bytes; the others go into the JSON object, or into typed contents. */
  readonly binaryOutputs: ReadonlySet<string>;
}

/** An inference request after decoding: the model's inputs in the model's order, and how to answer. */
export interface InferRequest extends WantedOutputs {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly tensors: readonly NamedTensor[];
}

/** An inference response before encoding. */
export interface InferResult {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly id: string | undefined;
  readonly outputs: readonly NamedTensor[];
  /** Names of the outputs to send as bytes; the others go into the JSON object. */
  readonly binaryOutputs: ReadonlySet<string>;
}

export interface InferResponse {
  readonly modelName: string | undefined;
  readonly modelVersion: string | undefined;
  readonly id: string | undefined;
  readonly outputs: readonly NamedTensor[];
}

/** What a server says of a model at `/v2/models/{name}`. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** An extension of dse's own server: the settings it really runs with. Empty from servers that say nothing. */
  readonly parameters: Parameters;
}
