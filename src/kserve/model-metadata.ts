import type { TensorSpec } from '../models/types.ts';
import { wireTypeNamed, wireTypeOf } from './datatypes.ts';
import { isObject, parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import type { ModelMetadata } from './types.ts';

/**
 * Model metadata as the JSON object of `/v2/models/{name}`; a dimension the model leaves open is -1.
 *
 * `parameters` is not in the specification, which allows further members.
 */
export function modelMetadataJson(metadata: ModelMetadata): Record<string, unknown> {
  const { name, versions, platform, inputs, outputs, parameters } = metadata;
  return { name, versions, platform, inputs: inputs.map(tensorJson), outputs: outputs.map(tensorJson), parameters };
}

function tensorJson({ name, type, shape }: TensorSpec): Record<string, unknown> {
  return { name, datatype: wireTypeOf(type).name, shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
}

/**
 * Reads the metadata that any server of the protocol gives of a model. An open dimension, which has no name on the wire, is called `dim{axis}`.
 * @throws KserveError with status 502 where it cannot be read
 */
export function decodeModelMetadata(body: Uint8Array): ModelMetadata {
  return readModelMetadata(parseJsonObject(body, 502, 'the model metadata'));
}

/** The same of an object that was parsed already. */
export function readModelMetadata(json: Readonly<Record<string, unknown>>): ModelMetadata {
  if (typeof json.name !== 'string') {
    throw new KserveError(502, `the model metadata has ${quote(json.name)} as the name, where a string is expected`);
  }
  return {
    name: json.name,
    versions: Array.isArray(json.versions) ? json.versions.map(String) : [],
    platform: typeof json.platform === 'string' ? json.platform : '',
    inputs: readSpecs(json.inputs, 'inputs'),
    outputs: readSpecs(json.outputs, 'outputs'),
    parameters: isObject(json.parameters) ? json.parameters : {},
  };
}

function readSpecs(value: unknown, key: string): TensorSpec[] {
  if (!Array.isArray(value)) {
    throw new KserveError(502, `the model metadata has ${quote(value)} as its ${key}, where an array is expected`);
  }
  return value.map((entry: unknown) => {
    const { name, datatype, shape } = isObject(entry) ? entry : {};
    const wire = typeof datatype === 'string' ? wireTypeNamed(datatype) : undefined;
    if (typeof name !== 'string' || wire === undefined || !Array.isArray(shape)) {
      throw new KserveError(502, `one of the ${key} in the model metadata lacks a name, a known datatype or a shape`);
    }
    return { name, type: wire.type, shape: shape.map(readDim) };
  });
}

function readDim(dim: unknown, axis: number): number | string {
  return Number.isSafeInteger(dim) && (dim as number) >= 0 ? (dim as number) : `dim${axis}`;
}
