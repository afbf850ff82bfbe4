import type { IncomingMessage } from 'node:http';
import { KserveError, readJsonLength } from '../kserve/index.ts';
import { monotonicNs } from '../units.ts';
import type { BufferPool } from './buffer-pool.ts';

/** A request body in memory of its own. */
export interface RequestBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When its last byte was there, on the machine's monotonic clock. */
  readonly completeNs: number;
}

/** Binary tensors may be of 8-byte elements; a view over them must start at a multiple of that. */
const ALIGNMENT = 8;

/** First size of a buffer for a body whose length was not announced. */
const FIRST_GUESS_BYTES = 64 * 1024;

/**
 * Collects a request's body into one buffer.
 *
 * With a Content-Length the buffer is made once and every chunk is copied into its place; chunked bodies grow it by doubling. The body starts at the offset
 * that puts the binary data behind the JSON object on an 8-byte boundary, so that a tensor can be laid over them without another copy.
 * @throws KserveError with status 413 past the limit (before anything is allocated where the length was announced), 400 where the body ends early
 */
export function readBody(request: IncomingMessage, limitBytes: number, pool: BufferPool): Promise<RequestBody> {
  const lead = alignmentLead(readJsonLength(request.headers));
  const announced = contentLength(request);
  if (announced !== undefined && announced > limitBytes) throw tooLarge(limitBytes);
  let buffer = new Uint8Array(pool.take(lead + (announced ?? FIRST_GUESS_BYTES)));
  let end = lead;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      if (end + chunk.byteLength - lead > limitBytes) {
        request.removeAllListeners('data').resume();
        reject(tooLarge(limitBytes));
        return;
      }
      if (end + chunk.byteLength > buffer.byteLength) {
        buffer = grow(buffer, end + chunk.byteLength, pool);
      }
      buffer.set(chunk, end);
      end += chunk.byteLength;
    });
    request.on('end', () => {
      resolve({ bytes: buffer.subarray(lead, end), completeNs: monotonicNs() });
    });
    request.on('error', () => reject(new KserveError(400, 'the request ended before its body was complete')));
  });
}

/** Where a body of this head starts in its buffer; undefined where its header fields contradict themselves. */
export function startOfBody(headers: Readonly<Record<string, string>>): number | undefined {
  try {
    return alignmentLead(readJsonLength(headers));
  } catch {
    return undefined;
  }
}

function alignmentLead(jsonLength: number | undefined): number {
  return jsonLength === undefined ? 0 : (ALIGNMENT - (jsonLength % ALIGNMENT)) % ALIGNMENT;
}

/** Node's parser has already refused anything but digits. */
function contentLength(request: IncomingMessage): number | undefined {
  const value = request.headers['content-length'];
  return value === undefined ? undefined : Number(value);
}

function grow(buffer: Uint8Array<ArrayBuffer>, needed: number, pool: BufferPool): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(pool.take(Math.max(needed, 2 * buffer.byteLength)));
  larger.set(buffer);
  pool.give(buffer.buffer);
  return larger;
}

function tooLarge(limitBytes: number): KserveError {
  return new KserveError(413, `the request body is larger than this server's limit of ${limitBytes} bytes`);
}
