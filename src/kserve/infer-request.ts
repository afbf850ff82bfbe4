import type { NamedTensor, TensorSpec } from '../models/types.ts';
import { checkInputs, checkRequestedOutput } from './check-inputs.ts';
import { isObject, parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import { splitMessage, writeMessage } from './message.ts';
import { decodeRawBody } from './raw-body.ts';
import { decodeTensors, readParameters, readTensorHeader } from './tensor-list.ts';
import type { Headers, InferRequest, Parameters, RequestedOutput, RestProtocol, WireMessage } from './types.ts';

export interface InferRequestOptions {
  readonly id?: string;
  /** Names of the outputs wanted; all where absent. */
  readonly outputs?: readonly string[];
}

/**
 * An inference request for `POST /v2/models/{name}/infer`.
 *
 * `rest-binary` sends every tensor as bytes and asks for binary outputs; `rest-json` sends and asks for JSON.
 * Source: Open Inference Protocol, "Inference Request JSON Object"; KServe, "Binary Tensor Data Extension".
 */
export function encodeInferRequest(
  protocol: RestProtocol,
  tensors: readonly NamedTensor[],
  options: InferRequestOptions = {},
): WireMessage {
  const isBinary = protocol === 'rest-binary';
  const fields: string[] = [];
  if (options.id !== undefined) fields.push(`"id":${JSON.stringify(options.id)}`);
  if (isBinary) fields.push('"parameters":{"binary_data_output":true}');
  if (options.outputs !== undefined) {
    fields.push(`"outputs":${JSON.stringify(options.outputs.map((name) => ({ name })))}`);
  }
  return writeMessage(fields, 'inputs', tensors, () => isBinary);
}

/** What a request is checked against. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/**
 * Decodes a request and checks it against the model: names, datatypes, shapes, and that the data fill them exactly.
 *
 * With `Inference-Header-Content-Length: 0` the whole body is the model's one input; see `decodeRawBody`.
 * Binary tensors are views of `body`, not copies, unless they lie unaligned in it. Nothing is allocated before its size has been checked against the bytes received.
 * @throws KserveError with status 400 and one sentence on what is wrong
 */
export function decodeInferRequest(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  model: ModelSignature,
): InferRequest {
  const parts = splitMessage(headers, body);
  if (parts.json.byteLength === 0 && body.byteLength > 0) return decodeRawRequest(body, model);
  const json = parseJsonObject(parts.json, 400, 'the request');
  const id = readId(json.id);
  const parameters = readParameters(json.parameters, 'the request');
  const outputs = readRequestedOutputs(json.outputs, parameters, model.outputs);
  if (!Array.isArray(json.inputs)) {
    throw new KserveError(400, `the request has ${quote(json.inputs)} as its inputs, where an array is expected`);
  }
  const inputHeaders = json.inputs.map((entry, index) => readTensorHeader(entry, 'input', index));
  checkInputs(inputHeaders, model.inputs);
  const byName = new Map(decodeTensors(inputHeaders, parts, 'inputs').map((tensor) => [tensor.name, tensor]));
  return { id, parameters, tensors: model.inputs.map(({ name }) => byName.get(name) as NamedTensor), outputs };
}

/** A body without a JSON object is answered with every output as bytes. */
function decodeRawRequest(body: Uint8Array<ArrayBuffer>, model: ModelSignature): InferRequest {
  const tensors = [decodeRawBody(body, model.inputs)];
  return {
    id: undefined,
    parameters: {},
    tensors,
    outputs: model.outputs.map(({ name }) => ({ name, isBinary: true })),
  };
}

function readId(id: unknown): string | undefined {
  if (id === undefined || typeof id === 'string') return id;
  throw new KserveError(400, `the request has the id ${quote(id)}, where a string is expected`);
}

function readRequestedOutputs(
  value: unknown,
  parameters: Parameters,
  available: readonly TensorSpec[],
): readonly RequestedOutput[] {
  const isBinaryByDefault = readFlag(parameters, 'binary_data_output', 'the request') ?? false;
  if (value !== undefined && !Array.isArray(value)) {
    throw new KserveError(400, `the request has ${quote(value)} as its outputs, where an array is expected`);
  }
  if (value === undefined || value.length === 0) {
    return available.map(({ name }) => ({ name, isBinary: isBinaryByDefault }));
  }
  const seen = new Set<string>();
  return value.map((entry: unknown, index) => {
    const name = isObject(entry) ? entry.name : undefined;
    if (!isObject(entry) || typeof name !== 'string') {
      throw new KserveError(400, `requested output ${index} is not an object with a name`);
    }
    const label = `requested output ${quote(name)}`;
    checkRequestedOutput(name, seen, available);
    const isBinary = readFlag(readParameters(entry.parameters, label), 'binary_data', label) ?? isBinaryByDefault;
    return { name, isBinary };
  });
}

function readFlag(parameters: Parameters, key: string, label: string): boolean | undefined {
  const value = parameters[key];
  if (value === undefined || typeof value === 'boolean') return value;
  throw new KserveError(400, `${label} has ${quote(value)} as its parameter "${key}", where true or false is expected`);
}
