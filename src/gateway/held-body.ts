import type { IncomingMessage } from 'node:http';
import { KserveError } from '../kserve/index.ts';

/** A request's body as it is sent on, from its start each time. */
export interface RequestBytes {
  /** Why it will never be complete; undefined where it is, or may still be. */
  readonly failure: KserveError | undefined;
  /** The whole body for a new reader; it ends for the one before. */
  read(): Uint8Array | AsyncIterable<Uint8Array>;
  /** No other reader will come. */
  forget(): void;
}

/** A body that is there already. */
export class WholeBody implements RequestBytes {
  readonly failure = undefined;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): Uint8Array {
    return this.#bytes;
  }

  forget(): void {}
}

/** Bytes that may wait here for an upstream before the client is held up. */
const WAITING_BYTES = 256 * 1024;

/**
 * A request's body on its way through: read by an upstream while it still comes in, and kept, chunk by chunk as it came and without a copy, until the answer begins, so that
 * another upstream can be sent the same bytes from the start.
 */
export class HeldBody implements RequestBytes {
  readonly #request: IncomingMessage;
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  /** Chunks from here on were not given to the present reader. */
  #unread = 0;
  #unreadBytes = 0;
  /** Number of the present reader; those before it get nothing more. */
  #reader = 0;
  #totalBytes = 0;
  #isKept = true;
  #isComplete = false;
  #failure: KserveError | undefined;
  #wake: () => void = () => {};

  /** @param limitBytes - a body that turns out longer fails every reader with status 413 */
  constructor(request: IncomingMessage, limitBytes: number) {
    this.#request = request;
    this.#limitBytes = limitBytes;
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  get failure(): KserveError | undefined {
    return this.#failure;
  }

  async *read(): AsyncGenerator<Buffer> {
    const reader = ++this.#reader;
    this.#unread = 0;
    this.#unreadBytes = this.#chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    while (reader === this.#reader) {
      const chunk = this.#chunks[this.#unread];
      if (chunk !== undefined) {
        this.#unreadBytes -= chunk.byteLength;
        if (this.#isKept) this.#unread++;
        else this.#chunks.shift();
        if (this.#unreadBytes <= WAITING_BYTES) this.#request.resume();
        yield chunk;
      } else {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#isComplete) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** What was read is let go. */
  forget(): void {
    this.#isKept = false;
    this.#chunks.splice(0, this.#unread);
    this.#unread = 0;
  }

  /** Nobody reads it any more: what still comes is thrown away. */
  discard(): void {
    this.forget();
    this.#chunks = [];
    this.#reader++;
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).resume();
  }

  readonly #onData = (chunk: Buffer) => {
    this.#totalBytes += chunk.byteLength;
    if (this.#totalBytes > this.#limitBytes) {
      this.#fail(tooLarge(this.#limitBytes));
      return;
    }
    this.#chunks.push(chunk);
    this.#unreadBytes += chunk.byteLength;
    if (this.#unreadBytes > WAITING_BYTES) this.#request.pause();
    this.#wake();
  };

  readonly #onEnd = () => {
    this.#isComplete = true;
    this.#wake();
  };

  readonly #onClose = () => {
    if (!this.#isComplete) this.#fail(new KserveError(400, 'the request ended before its body was complete'));
  };

  #fail(failure: KserveError): void {
    this.#failure ??= failure;
    this.#wake();
  }
}

export function tooLarge(limitBytes: number): KserveError {
  return new KserveError(413, `the request body is larger than this gateway's limit of ${limitBytes} bytes`);
}
