/**
 * Memory of finished requests, kept for the next ones.
 *
 * A request of images is some hundred kilobytes. Fresh memory for each costs page faults when it is filled, and garbage collections in the JavaScript heaps of both threads
 * it passes through.
 *
 * Buffers are not cleared: whoever takes one fills what it goes on to read.
 */
export class BufferPool {
  readonly #limitBytes: number;
  /** Oldest first. */
  #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  /** @param limitBytes - most memory kept while no request uses it */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A buffer of at least `size` bytes, and of at most twice as many unless it is small, with anything in it. It can be lent to another thread. */
  take(size: number): ArrayBuffer {
    const most = 2 * size + SMALL_BYTES;
    const index = this.#free.findLastIndex(({ byteLength }) => byteLength >= size && byteLength <= most);
    // Memory of its own, never a slice of Node's shared pool, which could not move to another thread.
    if (index === -1) return Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer;
    const [buffer] = this.#free.splice(index, 1) as [ArrayBuffer];
    this.#freeBytes -= buffer.byteLength;
    return buffer;
  }

  /** Hands a buffer back; the oldest are let go past the limit. */
  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
    while (this.#freeBytes > this.#limitBytes) this.#freeBytes -= (this.#free.shift() as ArrayBuffer).byteLength;
  }
}

const SMALL_BYTES = 64 * 1024;
