import type { NamedTensor, TensorSpec } from '../models/types.ts';
import { checkInputs, checkOutputForm, checkRequestedOutput } from './check-inputs.ts';
import { isObject, parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import { splitMessage, writeMessage } from './message.ts';
import { decodeRawBody } from './raw-body.ts';
import { decodeTensors, readParameters, readTensorHeader, type TensorHeader } from './tensor-list.ts';
import type { Headers, InferRequest, Parameters, RestProtocol, WantedOutputs, WireMessage } from './types.ts';

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

/** What a request is checked against; the object stands for the model for as long as that is loaded. */
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
  const { id, parameters, inputs, outputs, binaryOutputs } = knownOrRead(parts.json, model);
  const tensors = decodeTensors(inputs, parts, 'inputs');
  const inOrder = model.inputs.map(({ name }) => tensors.find((one) => one.name === name) as NamedTensor);
  return { id, parameters, tensors: inOrder, outputs, binaryOutputs };
}

/** The JSON object of a request, checked against the model, without the data of its inputs. */
interface JsonRequest extends Omit<InferRequest, 'tensors'> {
  readonly inputs: readonly TensorHeader[];
}

/** Longest JSON object that is remembered, bytes. */
const KNOWN_BYTES = 4096;

/** The last JSON object of each model that held no data: a client that sends its tensors as bytes sends the same one again and again, and bytes are compared faster than understood. */
const lastRead = new WeakMap<ModelSignature, { readonly json: Buffer; readonly request: JsonRequest }>();

function knownOrRead(json: Uint8Array<ArrayBuffer>, model: ModelSignature): JsonRequest {
  const last = lastRead.get(model);
  if (last?.json.equals(json)) return last.request;
  const request = readJsonRequest(json, model);
  const isWithoutData = request.inputs.every(({ binaryBytes }) => binaryBytes !== undefined);
  if (isWithoutData && json.byteLength <= KNOWN_BYTES) lastRead.set(model, { json: Buffer.from(json), request });
  return request;
}

function readJsonRequest(bytes: Uint8Array, model: ModelSignature): JsonRequest {
  const json = parseJsonObject(bytes, 400, 'the request');
  const id = readId(json.id);
  const parameters = readParameters(json.parameters, 'the request');
  const wanted = readRequestedOutputs(json.outputs, parameters, model.outputs);
  if (!Array.isArray(json.inputs)) {
    throw new KserveError(400, `the request has ${quote(json.inputs)} as its inputs, where an array is expected`);
  }
  const inputs = json.inputs.map((entry, index) => readTensorHeader(entry, 'input', index));
  checkInputs(inputs, model.inputs);
  return { id, parameters, inputs, ...wanted };
}

/** A body without a JSON object is answered with every output as bytes. */
function decodeRawRequest(body: Uint8Array<ArrayBuffer>, model: ModelSignature): InferRequest {
  const tensors = [decodeRawBody(body, model.inputs)];
  return {
    id: undefined,
    parameters: {},
    tensors,
    ...wantedOutputs(model.outputs, true),
  };
}

function readId(id: unknown): string | undefined {
  // Clients made from a schema write optional members that are not there as null.
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string') return id;
  throw new KserveError(400, `the request has the id ${quote(id)}, where a string is expected`);
}

function readRequestedOutputs(value: unknown, parameters: Parameters, available: readonly TensorSpec[]): WantedOutputs {
  const isBinaryByDefault = readFlag(parameters, 'binary_data_output', 'the request') ?? false;
  const isLeftOut = value === undefined || value === null;
  if (!isLeftOut && !Array.isArray(value)) {
    throw new KserveError(400, `the request has ${quote(value)} as its outputs, where an array is expected`);
  }
  if (isLeftOut || value.length === 0) {
    return wantedOutputs(available, isBinaryByDefault);
  }
  const seen = new Set<string>();
  const binaryOutputs = new Set<string>();
  const outputs = value.map((entry: unknown, index) => {
    const name = isObject(entry) ? entry.name : undefined;
    if (!isObject(entry) || typeof name !== 'string') {
      throw new KserveError(400, `requested output ${index} is not an object with a name`);
    }
    const label = `requested output ${quote(name)}`;
    checkRequestedOutput(name, seen, available);
    const own = readParameters(entry.parameters, label);
    checkOutputForm(name, own);
    const isBinary = readFlag(own, 'binary_data', label) ?? isBinaryByDefault;
    if (isBinary) binaryOutputs.add(name);
    return name;
  });
  return { outputs, binaryOutputs };
}

/** All of some outputs, either each as bytes or none. */
export function wantedOutputs(wanted: readonly { readonly name: string }[], areBinary: boolean): WantedOutputs {
  const outputs = wanted.map(({ name }) => name);
  return { outputs, binaryOutputs: new Set(areBinary ? outputs : []) };
}

function readFlag(parameters: Parameters, key: string, label: string): boolean | undefined {
  const value = parameters[key];
  if (value === undefined || typeof value === 'boolean') return value;
  throw new KserveError(400, `${label} has ${quote(value)} as its parameter "${key}", where true or false is expected`);
}
