import { isObject, parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import { jsonMessage, splitMessage, writeMessage } from './message.ts';
import { decodeTensors, readTensorHeader } from './tensor-list.ts';
import type { Headers, InferResponse, InferResult, WireMessage } from './types.ts';

/**
 * The answer to an inference request, outputs in the order given.
 *
 * Where every output is JSON there is no `Inference-Header-Content-Length`, as the extension asks.
 */
export function encodeInferResponse(result: InferResult): WireMessage {
  const fields = [`"model_name":${JSON.stringify(result.modelName)}`];
  if (result.modelVersion !== undefined) fields.push(`"model_version":${JSON.stringify(result.modelVersion)}`);
  if (result.id !== undefined) fields.push(`"id":${JSON.stringify(result.id)}`);
  return writeMessage(fields, 'outputs', result.outputs, ({ name }) => result.binaryOutputs.has(name));
}

/**
 * Decodes a server's answer to an inference request; binary tensors are views of `body` where they are aligned.
 * @throws KserveError with status 502 where the answer cannot be read
 */
export function decodeInferResponse(headers: Headers, body: Uint8Array<ArrayBuffer>): InferResponse {
  try {
    const parts = splitMessage(headers, body);
    const json = parseJsonObject(parts.json, 502, 'the answer');
    if (!Array.isArray(json.outputs)) {
      throw new KserveError(502, `the answer has ${quote(json.outputs)} as its outputs, where an array is expected`);
    }
    const tensorHeaders = json.outputs.map((entry, index) => readTensorHeader(entry, 'output', index));
    return {
      modelName: optionalString(json.model_name),
      modelVersion: optionalString(json.model_version),
      id: optionalString(json.id),
      outputs: decodeTensors(tensorHeaders, parts, 'outputs'),
    };
  } catch (error) {
    // The same rules as for a request, but the server broke them.
    throw error instanceof KserveError ? new KserveError(502, error.message) : error;
  }
}

function optionalString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The protocol's form of an error. */
export function encodeError(message: string): WireMessage {
  return jsonMessage(JSON.stringify({ error: message }));
}

/** The sentence of an error answer; undefined where the body is not one. */
export function decodeError(body: Uint8Array): string | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(body));
    return isObject(json) ? optionalString(json.error) : undefined;
  } catch {
    return undefined;
  }
}
