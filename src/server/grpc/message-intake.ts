import { status } from '@grpc/grpc-js';
import { startOfRawInput } from '../../kserve/index.ts';
import { monotonicNs } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { CallError } from './status.ts';

/** A message in memory of its own. */
export interface WholeMessage {
  readonly bytes: Buffer<ArrayBuffer>;
  /** The memory of the pool it lies in; undefined where it is empty. */
  readonly memory: ArrayBuffer | undefined;
  /** When its last byte was there, on the machine's monotonic clock. */
  readonly completeNs: number;
}

/** Before each message: whether it is compressed, one byte, and its length, four. Source: gRPC, doc/PROTOCOL-HTTP2.md. */
const PREFIX_BYTES = 5;

/** Raw tensors may be of 8-byte elements; a view over them must start at a multiple of that. */
const ALIGNMENT = 8;

/**
 * Puts the one message of a call together from what arrives, in memory of the pool.
 *
 * Each byte is copied once, to where it stays: the message starts at the offset that aligns its first raw tensor, so that no further copy is needed to lay an array over it.
 */
export class MessageIntake {
  readonly #limitBytes: number;
  readonly #pool: BufferPool;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  #memory: Uint8Array<ArrayBuffer> | undefined;
  /** Of the message in its memory. */
  #start = 0;
  #end = 0;
  #completeNs: number | undefined;

  /** @param limitBytes - longest message */
  constructor(limitBytes: number, pool: BufferPool) {
    this.#limitBytes = limitBytes;
    this.#pool = pool;
  }

  /** @throws CallError where no message can become of it, before memory is taken for one that is too long */
  add(bytes: Uint8Array): void {
    const rest = this.#prefixBytes < PREFIX_BYTES ? this.#readPrefix(bytes) : bytes;
    if (rest.byteLength === 0) return;
    if (this.#completeNs !== undefined) throw notOneMessage('more than one message');
    this.#memory ??= this.#place(rest);
    if (rest.byteLength > this.#memory.byteLength - this.#end) throw notOneMessage('more than one message');
    this.#memory.set(rest, this.#end);
    this.#end += rest.byteLength;
    if (this.#end === this.#memory.byteLength) this.#completeNs = monotonicNs();
  }

  /**
   * The message, once the call has sent all it will.
   * @throws CallError where there is none, or not all of it
   */
  take(): WholeMessage {
    const completeNs = this.#completeNs;
    if (this.#prefixBytes === 0) throw notOneMessage('no message');
    if (completeNs === undefined) throw new CallError(status.INTERNAL, 'the call ended in the middle of its message');
    const memory = this.#memory?.buffer;
    this.#memory = undefined;
    const bytes = memory === undefined ? Buffer.alloc(0) : Buffer.from(memory, this.#start, this.#end - this.#start);
    return { bytes, memory, completeNs };
  }

  /** Gives back the memory of a message that nobody will take. */
  drop(): void {
    if (this.#memory !== undefined) this.#pool.give(this.#memory.buffer);
    this.#memory = undefined;
  }

  /** Returns what follows the prefix. */
  #readPrefix(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, PREFIX_BYTES - this.#prefixBytes);
    this.#prefix.set(part, this.#prefixBytes);
    this.#prefixBytes += part.byteLength;
    if (this.#prefixBytes === PREFIX_BYTES) {
      if (this.#prefix[0] !== 0) {
        throw new CallError(status.INTERNAL, 'the message is said to be compressed, and the call names no encoding');
      }
      const length = this.#length;
      if (length > this.#limitBytes) {
        throw new CallError(
          status.RESOURCE_EXHAUSTED,
          `the message has ${length} bytes, and this server's limit is ${this.#limitBytes}`,
        );
      }
      if (length === 0) this.#completeNs = monotonicNs();
    }
    return bytes.subarray(part.byteLength);
  }

  get #length(): number {
    return this.#prefix.readUInt32BE(1);
  }

  /** Memory that ends where the message will. */
  #place(beginning: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#start = (ALIGNMENT - ((startOfRawInput(beginning) ?? 0) % ALIGNMENT)) % ALIGNMENT;
    this.#end = this.#start;
    const size = this.#start + this.#length;
    return new Uint8Array(this.#pool.take(size), 0, size);
  }
}

/** Source: gRPC, doc/statuscodes.md, on a server that gets another number of requests than its method takes. */
function notOneMessage(what: string): CallError {
  return new CallError(status.UNIMPLEMENTED, `the call has ${what}, where the method takes one`);
}
