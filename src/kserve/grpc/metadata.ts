import type { TensorSpec } from '../../models/types.ts';
import { wireTypeOf } from '../datatypes.ts';
import { readModelMetadata } from '../model-metadata.ts';
import type { ModelMetadata } from '../types.ts';
import type { ModelMetadataMessage, TensorMessage } from './messages.ts';

/** Model metadata as the message of the gRPC service; what REST calls parameters are its properties, as text. */
export function encodeGrpcModelMetadata(metadata: ModelMetadata): ModelMetadataMessage {
  const { name, versions, platform, inputs, outputs, parameters } = metadata;
  return {
    name,
    versions,
    platform,
    inputs: inputs.map(describe),
    outputs: outputs.map(describe),
    properties: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, asText(value)])),
  };
}

/**
 * Reads the metadata that any server of the protocol gives of a model over gRPC. Properties stay text.
 * @throws KserveError with status 502 where it cannot be read
 */
export function decodeGrpcModelMetadata(message: ModelMetadataMessage): ModelMetadata {
  const asRest = (tensors: readonly TensorMessage[]) =>
    tensors.map(({ shape, ...others }) => ({ ...others, shape: shape.map(Number) }));
  const { inputs, outputs, properties } = message;
  return readModelMetadata({ ...message, inputs: asRest(inputs), outputs: asRest(outputs), parameters: properties });
}

function describe({ name, type, shape }: TensorSpec): TensorMessage {
  return { name, datatype: wireTypeOf(type).name, shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
