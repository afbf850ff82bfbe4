import type { NamedTensor } from '../models/types.ts';
import { encodeBinaryTensor } from './binary-tensor.ts';
import { wireTypeOf } from './datatypes.ts';
import { encodeJsonTensor } from './json-tensor.ts';
import { KserveError, quote } from './kserve-error.ts';
import type { MessageParts } from './tensor-list.ts';
import type { Headers, WireMessage } from './types.ts';

/** The header field that gives the length of the JSON object where binary data follow it. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/**
 * Length of the JSON object in bytes as the header field announces it; undefined where the whole body is JSON.
 *
 * A server reads it before the body, to place the body so that the binary data behind the JSON object are aligned.
 */
export function readJsonLength(headers: Headers): number | undefined {
  const value = headerValue(headers, JSON_LENGTH_HEADER);
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) {
    throw new KserveError(
      400,
      `the header Inference-Header-Content-Length is ${quote(value)}, where a number of bytes is expected`,
    );
  }
  return Number(value);
}

export function headerValue(headers: Headers, name: string): string | undefined {
  const exact = headers[name] ?? Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof exact === 'object' ? exact.join(', ') : exact;
}

/** Splits a body into its JSON object and the binary data behind it. */
export function splitMessage(headers: Headers, body: Uint8Array<ArrayBuffer>): MessageParts {
  const jsonLength = readJsonLength(headers) ?? body.byteLength;
  if (jsonLength > body.byteLength) {
    throw new KserveError(
      400,
      `the header Inference-Header-Content-Length is ${jsonLength}, but the body has only ${body.byteLength} bytes`,
    );
  }
  return { json: body.subarray(0, jsonLength), binary: body.subarray(jsonLength) };
}

/** Tensor data start at a multiple of this, so that a reader can lay any typed array over them. */
const ALIGNMENT = 8;

/**
 * Writes a message: the JSON object and, where there are any, the binary data behind it.
 * @param fields - text of the JSON members before the tensors, without braces, e.g. `"id":"42"`
 */
export function writeMessage(
  fields: readonly string[],
  key: 'inputs' | 'outputs',
  tensors: readonly NamedTensor[],
  isBinary: (tensor: NamedTensor) => boolean,
): WireMessage {
  const binaries: Uint8Array[] = [];
  const entries = tensors.map((tensor) => {
    const { name, type, shape, data } = tensor;
    const start = `{"name":${JSON.stringify(name)},"shape":[${shape}],"datatype":"${wireTypeOf(type).name}"`;
    if (!isBinary(tensor)) return `${start},"data":${encodeJsonTensor(type, data)}}`;
    const bytes = encodeBinaryTensor(data);
    binaries.push(bytes);
    return `${start},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const json = `{${[...fields, `"${key}":[${entries}]`].join(',')}}`;
  return binaries.length === 0 ? jsonMessage(json) : binaryMessage(json, binaries);
}

export function jsonMessage(json: string): WireMessage {
  const body = Buffer.from(json);
  return { headers: { 'content-type': 'application/json', 'content-length': String(body.byteLength) }, body };
}

function binaryMessage(json: string, binaries: readonly Uint8Array[]): WireMessage {
  const textLength = Buffer.byteLength(json);
  // JSON allows white space at the end, and with it every reader finds the data aligned.
  const jsonLength = Math.ceil(textLength / ALIGNMENT) * ALIGNMENT;
  const total = binaries.reduce((sum, bytes) => sum + bytes.byteLength, jsonLength);
  const body = Buffer.allocUnsafe(total);
  body.write(json);
  body.fill(' ', textLength, jsonLength);
  let offset = jsonLength;
  for (const bytes of binaries) {
    body.set(bytes, offset);
    offset += bytes.byteLength;
  }
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(total),
      [JSON_LENGTH_HEADER]: String(jsonLength),
    },
    body,
  };
}
