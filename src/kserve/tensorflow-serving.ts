import type { NamedTensor } from '../models/types.ts';
import { decodeJsonTensor, encodeNestedJsonTensor } from './json-tensor.ts';
import { parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import { jsonMessage } from './message.ts';
import type { WireMessage } from './types.ts';

/**
 * An inference request for `POST /v1/models/{name}:predict`, in columnar form.
 *
 * A single tensor goes without its name: a model converted to a SavedModel may have another one.
 * Source: TensorFlow Serving, "RESTful API", predict API. Non-finite numbers, which it would want as tokens that are no JSON, are sent as strings and refused by the server.
 */
export function encodePredictRequest(tensors: readonly NamedTensor[]): WireMessage {
  const [only] = tensors;
  const encode = ({ type, shape, data }: NamedTensor) => encodeNestedJsonTensor(type, shape, data);
  const inputs =
    tensors.length === 1 && only !== undefined
      ? encode(only)
      : `{${tensors.map((tensor) => `${JSON.stringify(tensor.name)}:${encode(tensor)}`).join(',')}}`;
  return jsonMessage(`{"inputs":${inputs}}`);
}

/**
 * Decodes the answer to a columnar request. It names no datatypes: numbers are float64. A single output has no name.
 *
 * @throws KserveError with status 502 where the answer cannot be read
 */
export function decodePredictResponse(body: Uint8Array): readonly NamedTensor[] {
  const { outputs } = parseJsonObject(body, 502, 'the answer');
  const named = Array.isArray(outputs) ? { '': outputs } : outputs;
  if (typeof named !== 'object' || named === null) {
    throw new KserveError(
      502,
      `the answer has ${quote(outputs)} as its outputs, where an array or an object is expected`,
    );
  }
  return Object.entries(named).map(([name, value]) => decodeOutput(name, value));
}

function decodeOutput(name: string, value: unknown): NamedTensor {
  const shape = shapeOf(value);
  const type = typeof firstOf(value) === 'string' ? 'string' : 'float64';
  try {
    return { name, type, shape, data: decodeJsonTensor(type, shape, value, `output ${quote(name)}`) };
  } catch (error) {
    throw error instanceof KserveError ? new KserveError(502, error.message) : error;
  }
}

/** Sizes along the first entry of each level; that the others agree is checked when the data are read. */
function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? firstOf(value[0]) : value;
}
