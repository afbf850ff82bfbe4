import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { encodeError } from '../../kserve/index.ts';
import { monotonicNs } from '../../units.ts';
import { unreachable } from '../../unreachable.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { type RequestBody, startOfBody } from '../request-body.ts';
import { readInto } from './read-into.ts';
import { type RequestHead, recognizeHead } from './request-head.ts';

/** An answer as it goes over the connection; its framing is the connection's. */
export interface DirectAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface DirectOptions {
  readonly pool: BufferPool;
  readonly bodyLimitBytes: number;
  /** How long a connection without a request stays open, milliseconds. */
  readonly keepAliveMs: number;
  /** How long a head or a body may take to arrive, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Whether requests of this head are answered here. */
  readonly takes: (head: RequestHead) => boolean;
  /** Never rejects. */
  readonly answer: (head: RequestHead, body: RequestBody) => Promise<DirectAnswer>;
  /** Gives the connection to Node's HTTP server, for good; `unread` are the bytes that came and were not answered. */
  readonly handOver: (socket: Socket, unread: Buffer) => void;
  /** Called when the connection is closed, and when it was given away. */
  readonly onGone: () => void;
  /** Whether other requests are being answered. */
  readonly isBusy: () => boolean;
}

type State = 'idle' | 'head' | 'body' | 'answering' | 'given away' | 'closed';

/** Longest head that is read here; Node's own limit. */
const HEAD_LIMIT_BYTES = 16 * 1024;

const HEAD_END = Buffer.from('\r\n\r\n');

/** The beginning of what will be no head that is read here: another method, or a line that ends without a carriage return. */
const NO_HEAD = /^[^GHP]|(?:^|[^\r])\n/;
const NOTHING = Buffer.alloc(0);

/** Reads outside of bodies go here; each is looked at before the next, on whatever connection. */
const scratch = Buffer.alloc(HEAD_LIMIT_BYTES);

/** While the processor is busy, a body of which more than this is missing is left to gather in the kernel. */
const GATHER_BYTES = 64 * 1024;

/** For how long, milliseconds: about as long as a sender on the same machine takes to write an image. */
const GATHER_MS = 0.2;

/** Nobody ever wakes who waits on it. */
const alarm = new Int32Array(new SharedArrayBuffer(4));

/**
 * A connection whose inference requests are read straight from the socket into the memory they stay in.
 *
 *     idle --bytes--> head --recognised--> body --complete--> answering --written--> idle
 *                       '--anything else, or too slow--> given away (to Node's HTTP server, for good)
 *
 * Node's HTTP server copies every 64 KB of a body into fresh memory with a finalizer of its own, which for a request of one image (600 KB) costs several times what
 * the rest of the server does (`benchmarks/served-throughput.ts`).
 *
 * Only what is beyond doubt is read here (`recognizeHead`); the rest, malformed requests included, goes to Node with every byte that came.
 */
export class DirectConnection {
  readonly #socket: Socket;
  readonly #options: DirectOptions;
  #state: State = 'idle';
  #unread: Buffer = NOTHING;
  #head: RequestHead | undefined;
  #body = new Uint8Array(0);
  #bodyStart = 0;
  #bodyEnd = 0;
  #timer: NodeJS.Timeout | undefined;
  #closesAfterAnswer = false;
  readonly #onEnd = () => this.#finish();
  readonly #onTimeout = () => {
    if (this.#state === 'idle') this.#socket.destroy();
  };

  /** Takes over a connection that was accepted with `pauseOnConnect`. */
  constructor(accepted: Socket, options: DirectOptions) {
    this.#options = options;
    this.#socket = readInto(accepted, {
      buffer: () => (this.#state === 'body' ? this.#missing() : scratch),
      callback: (count, memory) => this.#take(memory.subarray(0, count) as Uint8Array<ArrayBuffer>),
    });
    this.#socket.on('end', this.#onEnd).on('error', ignoreReset);
    this.#socket.once('close', () => {
      this.#wait('closed');
      options.onGone();
    });
    this.#socket.setTimeout(options.keepAliveMs).on('timeout', this.#onTimeout);
  }

  /** Closes the connection: at once where it is idle, else after the answer that is due, or without it when `graceMs` are over. */
  close(graceMs: number): void {
    this.#closesAfterAnswer = true;
    switch (this.#state) {
      case 'idle':
        this.#socket.destroySoon();
        return;
      case 'head':
      case 'body':
      case 'answering':
        setTimeout(() => this.#socket.destroy(), graceMs).unref();
        return;
      case 'given away':
      case 'closed':
        return;
      default:
        unreachable(this.#state);
    }
  }

  /** Returns whether to go on reading. */
  #take(bytes: Uint8Array<ArrayBuffer>): boolean {
    switch (this.#state) {
      case 'idle':
      case 'head':
        this.#unread = Buffer.concat([this.#unread, bytes]);
        this.#readHead();
        return !this.#isAhead();
      case 'body':
        this.#fill(bytes);
        return !this.#isAhead();
      case 'answering':
        // A client that sends its next request before this one's answer waits.
        this.#unread = Buffer.concat([this.#unread, bytes]);
        return false;
      case 'given away':
        return this.#socket.push(Buffer.from(bytes));
      case 'closed':
        return false;
      default:
        return unreachable(this.#state);
    }
  }

  #readHead(): void {
    const unread = this.#unread;
    const end = unread.indexOf(HEAD_END);
    if (end === -1 && unread.byteLength < HEAD_LIMIT_BYTES && !NO_HEAD.test(unread.toString('latin1'))) {
      if (this.#state === 'idle') this.#wait('head', () => this.#giveAway());
      return;
    }
    const head = end === -1 || end > HEAD_LIMIT_BYTES ? undefined : recognizeHead(unread.toString('latin1', 0, end));
    const start = head === undefined ? undefined : startOfBody(head.headers);
    if (head === undefined || start === undefined || !this.#isTaken(head)) {
      this.#giveAway();
      return;
    }
    this.#head = head;
    this.#body = new Uint8Array(this.#options.pool.take(start + head.contentLength));
    this.#bodyStart = start;
    this.#bodyEnd = start;
    this.#unread = NOTHING;
    this.#wait('body', () => this.#refuseBody(408, 'the request took too long to arrive'));
    this.#fill(unread.subarray(end + HEAD_END.byteLength) as Uint8Array<ArrayBuffer>);
  }

  #isTaken(head: RequestHead): boolean {
    return head.contentLength <= this.#options.bodyLimitBytes && this.#options.takes(head);
  }

  /** Memory that waits for the rest of the body. */
  #missing(): Uint8Array<ArrayBuffer> {
    return this.#body.subarray(this.#bodyEnd, this.#bodyStart + (this.#head as RequestHead).contentLength);
  }

  /** Takes bytes that were read into their place, or elsewhere. */
  #fill(bytes: Uint8Array<ArrayBuffer>): void {
    const missing = this.#missing();
    const own = bytes.byteLength <= missing.byteLength ? bytes : bytes.subarray(0, missing.byteLength);
    if (bytes.buffer !== missing.buffer) missing.set(own);
    this.#bodyEnd += own.byteLength;
    if (own.byteLength < missing.byteLength) {
      this.#gather(missing.byteLength - own.byteLength);
      return;
    }
    if (bytes.byteLength > own.byteLength) this.#unread = Buffer.from(bytes.subarray(own.byteLength));
    void this.#answer({ bytes: this.#body.subarray(this.#bodyStart, this.#bodyEnd), completeNs: monotonicNs() });
  }

  /**
   * Sleeps for a moment while the rest of a large body gathers in the kernel, if an inference is running meanwhile.
   *
   * Else this thread would wake for each 64 KB and interrupt the inference, a dozen times a request of one image, where both share a processor.
   */
  #gather(missingBytes: number): void {
    if (missingBytes > GATHER_BYTES && this.#options.isBusy()) Atomics.wait(alarm, 0, 0, GATHER_MS);
  }

  async #answer(body: RequestBody): Promise<void> {
    this.#wait('answering');
    const answer = await this.#options.answer(this.#head as RequestHead, body);
    if (this.#state !== 'answering') return;
    const isLast = this.#closesAfterAnswer;
    const hasRoom = this.#write(answer, isLast);
    this.#wait(isLast ? 'closed' : 'idle');
    if (isLast) this.#socket.destroySoon();
    else if (hasRoom) this.#goOn();
    else this.#socket.pause().once('drain', () => this.#goOn());
  }

  #refuseBody(status: number, sentence: string): void {
    this.#options.pool.give(this.#body.buffer);
    this.#refuse(status, sentence);
  }

  /** Answers a request that will not be complete, and closes the connection. */
  #refuse(status: number, sentence: string): void {
    this.#wait('closed');
    this.#write({ status, ...encodeError(sentence) }, true);
    this.#socket.destroySoon();
  }

  #write({ status, headers, body }: DirectAnswer, isLast: boolean): boolean {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const connection = isLast
      ? 'connection: close\r\n'
      : `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(this.#options.keepAliveMs / 1e3)}\r\n`;
    const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    this.#socket.cork();
    this.#socket.write(`${line}${fields.join('')}date: ${httpDate()}\r\n${connection}\r\n`, 'latin1');
    const hasRoom = this.#socket.write(body);
    this.#socket.uncork();
    return hasRoom;
  }

  #goOn(): void {
    if (this.#unread.byteLength > 0) this.#readHead();
    if (!this.#isAhead()) this.#socket.resume();
  }

  /** Whether a further request waits for the answer to this one. Nothing is read then, not even that the client will send no more: what it did send is answered first. */
  #isAhead(): boolean {
    return this.#state === 'answering' && this.#unread.byteLength > 0;
  }

  /** The client will send no more. */
  #finish(): void {
    switch (this.#state) {
      case 'idle':
        this.#socket.end();
        return;
      case 'head':
        this.#refuse(400, 'the request ended before its head was complete');
        return;
      case 'body':
        this.#refuseBody(400, 'the request ended before its body was complete');
        return;
      case 'answering':
        this.#closesAfterAnswer = true;
        return;
      case 'given away':
      case 'closed':
        return;
      default:
        unreachable(this.#state);
    }
  }

  #giveAway(): void {
    this.#wait('given away');
    const socket = this.#socket;
    socket.off('end', this.#onEnd).off('error', ignoreReset).off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    this.#options.onGone();
    this.#options.handOver(socket, this.#unread);
  }

  /** Enters a state; where it lasts longer than a request may take, `onTimeout` follows. */
  #wait(state: State, onTimeout?: () => void): void {
    this.#state = state;
    clearTimeout(this.#timer);
    this.#timer = onTimeout === undefined ? undefined : setTimeout(onTimeout, this.#options.requestTimeoutMs);
  }
}

/** A client that went away is no error of the server's. */
function ignoreReset(): void {}

let datedAtMs = 0;
let date = '';

/** The Date field, at most a second old. */
function httpDate(): string {
  const nowMs = Date.now();
  if (nowMs - datedAtMs >= 1_000) {
    datedAtMs = nowMs;
    date = new Date(nowMs).toUTCString();
  }
  return date;
}
