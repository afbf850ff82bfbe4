import type { DataType, NamedTensor } from '../../models/types.ts';
import { decodeBinaryTensor, encodeBinaryTensor } from '../binary-tensor.ts';
import { wireTypeOf } from '../datatypes.ts';
import { KserveError } from '../kserve-error.ts';
import type { InferResponse, InferResult } from '../types.ts';
import { decodeContents, encodeContents, hasContents } from './contents.ts';
import { readHeader } from './infer-request.ts';
import type { ModelInferResponseMessage, TensorMessage } from './messages.ts';

/** The answer to a ModelInferRequest: raw where the request asks for bytes or an output has no typed form, for all outputs alike as the protocol wants. */
export function encodeGrpcInferResponse(result: InferResult): ModelInferResponseMessage {
  const { modelName, modelVersion, id, outputs, binaryOutputs } = result;
  const isRaw = binaryOutputs.size > 0 || outputs.some(({ type }) => !hasContents(type));
  return {
    model_name: modelName,
    model_version: modelVersion ?? '',
    id: id ?? '',
    outputs: outputs.map((tensor) =>
      isRaw ? describe(tensor) : { ...describe(tensor), contents: contentsOf(tensor) },
    ),
    raw_output_contents: isRaw ? outputs.map(({ data }) => encodeBinaryTensor(data)) : [],
  };
}

function describe({ name, type, shape }: NamedTensor): TensorMessage {
  return { name, datatype: wireTypeOf(type).name, shape };
}

function contentsOf({ type, data }: NamedTensor) {
  return encodeContents(type as Exclude<DataType, 'float16'>, data);
}

/**
 * Reads a server's ModelInferResponse.
 * @throws KserveError with status 502 where it cannot be read
 */
export function decodeGrpcInferResponse(message: ModelInferResponseMessage): InferResponse {
  const { outputs, raw_output_contents: raw } = message;
  try {
    if (raw.length > 0 && raw.length !== outputs.length) {
      throw new KserveError(502, `the answer has ${outputs.length} outputs and ${raw.length} raw_output_contents`);
    }
    return {
      modelName: message.model_name,
      modelVersion: message.model_version,
      id: message.id,
      outputs: outputs.map((tensor, index) => decodeOutput(tensor, raw[index] as Uint8Array<ArrayBuffer>, index)),
    };
  } catch (error) {
    throw error instanceof KserveError ? new KserveError(502, error.message) : error;
  }
}

function decodeOutput(tensor: TensorMessage, bytes: Uint8Array<ArrayBuffer> | undefined, index: number): NamedTensor {
  const { name, type, shape, count, label } = readHeader(tensor, bytes, index, 'output');
  const data =
    bytes === undefined
      ? decodeContents(type, shape, tensor.contents ?? {}, label)
      : decodeBinaryTensor(type, count, bytes, label);
  return { name, type, shape, data };
}
