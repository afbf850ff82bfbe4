import { KserveError } from './kserve-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the JSON object of a message.
 * @param status - HTTP status of the error where it is none: 400 for a request, 502 for a server's answer
 * @param what - what the bytes are called in the error
 */
export function parseJsonObject(bytes: Uint8Array, status: number, what: string): Record<string, unknown> {
  const text = decodeText(bytes, status, what);
  const value = parseText(text, status, what);
  if (!isObject(value)) throw new KserveError(status, `${what} is JSON, but not a JSON object`);
  return value;
}

/**
 * The same object with integers beyond 2^53 as strings of their digits.
 *
 * `JSON.parse` rounds such integers to a neighbour without a word. This is the slow way, taken only when a 64-bit integer tensor turned out to hold one.
 */
export function parseJsonObjectExactly(bytes: Uint8Array, status: number, what: string): Record<string, unknown> {
  const text = decodeText(bytes, status, what);
  const exact = text.replace(STRING_OR_LONG_INTEGER, (token) => (token.startsWith('"') ? token : `"${token}"`));
  return parseText(exact, status, what) as Record<string, unknown>;
}

/** A JSON string, matched so that digits inside it are left alone, or an integer of at least 16 digits. */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

function decodeText(bytes: Uint8Array, status: number, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new KserveError(status, `${what} is not UTF-8 text`);
  }
}

function parseText(text: string, status: number, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : String(error);
    throw new KserveError(status, `${what} is not JSON: ${reason.slice(0, 200)}`);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
