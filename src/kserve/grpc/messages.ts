/**
 * Messages of the gRPC service as proto-loader gives and takes them: field names as in `proto/open-inference.proto`, 64-bit integers as text, absent fields filled with proto3's
 * defaults when read.
 */

export type ParameterMap = Readonly<Record<string, InferParameter>>;

export interface InferParameter {
  /** Name of the field that is set. */
  readonly parameter_choice?: string;
  readonly bool_param?: boolean;
  readonly int64_param?: string;
  readonly string_param?: string;
  readonly double_param?: number;
  readonly uint64_param?: string;
}

export interface TensorContents {
  readonly bool_contents?: readonly boolean[];
  readonly int_contents?: readonly number[];
  readonly int64_contents?: readonly string[];
  readonly uint_contents?: readonly number[];
  readonly uint64_contents?: readonly string[];
  readonly fp32_contents?: readonly number[];
  readonly fp64_contents?: readonly number[];
  readonly bytes_contents?: readonly Uint8Array[];
}

export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly (string | number)[];
  readonly parameters?: ParameterMap;
  readonly contents?: TensorContents | null;
}

export interface ModelInferRequestMessage {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters?: ParameterMap;
  readonly inputs: readonly TensorMessage[];
  readonly outputs: readonly { readonly name: string; readonly parameters?: ParameterMap }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

export interface ModelInferResponseMessage {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters?: ParameterMap;
  readonly outputs: readonly TensorMessage[];
  readonly raw_output_contents: readonly Uint8Array[];
}

/** Asks for a model; an empty version is the server's choice. */
export interface ModelRequestMessage {
  readonly name: string;
  readonly version: string;
}

export interface ModelMetadataMessage {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMessage[];
  readonly outputs: readonly TensorMessage[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Asks for the index of a repository; an empty name is the server's own. */
export interface RepositoryIndexMessage {
  readonly repository_name: string;
  readonly ready: boolean;
}

/** Asks for a model of a repository to be loaded or unloaded. */
export interface RepositoryModelMessage {
  readonly repository_name: string;
  readonly model_name: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}
