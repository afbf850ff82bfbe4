import type { Choice } from './choice.ts';
import { binaryRequest, drawSum, isSum, jsonRequest, type SumRequest } from './sum-model.ts';
import type { Expected } from './types.ts';

/** A request to infer, as bytes. */
export function post(
  body: Buffer | string,
  fields: Readonly<Record<string, string | number>> = {},
  path = INFER_PATH,
): Buffer {
  const bytes = Buffer.from(body);
  const all = { host: 'localhost', 'content-length': bytes.length, ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes]);
}

export const INFER_PATH = '/v2/models/tiny/infer';

export function binaryPost(json: unknown, binary: Buffer, jsonLength?: number | string, path = INFER_PATH): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  const fields = { 'inference-header-content-length': jsonLength ?? text.length };
  return post(Buffer.concat([text, binary]), fields, path);
}

/** A right request and its right answer. */
export function goodRequest(choose: Choice): { bytes: Buffer; expected: Expected; sum: SumRequest } {
  const isBinary = choose.chance(0.5);
  const sum = drawSum(choose, !isBinary);
  const path = choose.chance(0.5) ? INFER_PATH : '/v2/models/joined/infer';
  const fields: Record<string, string> = choose.chance(0.2) ? { 'x-odd': 'a', Connection: 'Keep-Alive' } : {};
  const expected = { refused: false, answer: isSum(sum) };
  if (!isBinary) return { bytes: post(JSON.stringify(jsonRequest(sum)), fields, path), expected, sum };
  const { json, binary } = binaryRequest(sum);
  return { bytes: binaryPost(json, binary, undefined, path), expected, sum };
}
