import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
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

/** An answer that goes out part by part, framed as its header fields say. Where `parts` ends in an error, the connection is closed. */
export interface StreamedAnswer extends Pick<DirectAnswer, 'status' | 'headers'> {
  readonly parts: Readable;
}

/** The client of a request that is being answered. */
export interface DirectClient {
  /** When the head of the request was there, on the machine's monotonic clock. */
  readonly headNs: number;
  /** Called where the client goes away before it has its answer. Where this is set, one that will send no more has gone, as it has for Node's HTTP server; else it is still answered. */
  onGone: (() => void) | undefined;
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
  readonly answer: (
    head: RequestHead,
    body: RequestBody,
    client: DirectClient,
  ) => Promise<DirectAnswer | StreamedAnswer>;
  /** Gives the connection to Node's HTTP server, for good; `unread` are the bytes that came and were not answered. */
  readonly handOver: (socket: Socket, unread: Buffer) => void;
  /** Called when the connection is closed, and when it was given away. */
  readonly onGone: () => void;
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

/** An answer of up to this many bytes is copied behind its head and goes out as one. */
const SMALL_ANSWER_BYTES = 64 * 1024;

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
  /** The head of the request that is read or answered, or of the last one. */
  #head: KnownHead | undefined;
  #body = new Uint8Array(0);
  #bodyStart = 0;
  #bodyEnd = 0;
  #headNs = 0;
  #client: DirectClient | undefined;
  /** Runs from the first byte of a head and of a body; what it finds in another state is of the past. */
  readonly #timer: NodeJS.Timeout;
  #closesAfterAnswer = false;
  readonly #keepAliveS: number;
  readonly #onEnd = () => this.#finish();
  readonly #onTimeout = () => {
    if (this.#state === 'idle') this.#socket.destroy();
  };

  /** Takes over a connection that was accepted with `pauseOnConnect`. */
  constructor(accepted: Socket, options: DirectOptions) {
    this.#options = options;
    this.#keepAliveS = Math.floor(options.keepAliveMs / 1e3);
    this.#socket = readInto(accepted, {
      buffer: () => (this.#state === 'body' ? this.#missing() : scratch),
      callback: (count, memory) => this.#take(memory.subarray(0, count) as Uint8Array<ArrayBuffer>),
    });
    this.#timer = setTimeout(() => this.#giveUp(), options.requestTimeoutMs).unref();
    this.#socket.on('end', this.#onEnd).on('error', ignoreReset);
    this.#socket.once('close', () => {
      this.#enter('closed');
      this.#client?.onGone?.();
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
        this.#readHead(
          this.#unread.byteLength === 0
            ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
            : Buffer.concat([this.#unread, bytes]),
        );
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

  /** @param bytes - all that came since the last request; what stays of it is copied, because the next read may go to the same memory */
  #readHead(bytes: Buffer): void {
    const known = this.#head?.begins(bytes) === true ? this.#head : this.#recognize(bytes);
    if (known === undefined) return;
    this.#head = known;
    this.#headNs = monotonicNs();
    this.#body = new Uint8Array(this.#options.pool.take(known.bodyStart + known.head.contentLength));
    this.#bodyStart = known.bodyStart;
    this.#bodyEnd = known.bodyStart;
    this.#unread = NOTHING;
    const rest = bytes.subarray(known.byteLength) as Uint8Array<ArrayBuffer>;
    // One that is there whole needs no timer.
    if (rest.byteLength < known.head.contentLength) this.#enter('body');
    this.#fill(rest);
  }

  /** The head these bytes begin with; undefined where it is incomplete, or none that is read here and the connection was given away. */
  #recognize(bytes: Buffer): KnownHead | undefined {
    const end = bytes.indexOf(HEAD_END);
    if (end === -1 && bytes.byteLength < HEAD_LIMIT_BYTES && !NO_HEAD.test(bytes.toString('latin1'))) {
      this.#unread = Buffer.from(bytes);
      if (this.#state === 'idle') this.#enter('head');
      return undefined;
    }
    const head = end === -1 || end > HEAD_LIMIT_BYTES ? undefined : recognizeHead(bytes.toString('latin1', 0, end));
    const start = head === undefined ? undefined : startOfBody(head.headers);
    if (head === undefined || start === undefined || !this.#isTaken(head)) {
      this.#unread = Buffer.from(bytes);
      this.#giveAway();
      return undefined;
    }
    return new KnownHead(bytes.subarray(0, end + HEAD_END.byteLength), head, start);
  }

  #isTaken(head: RequestHead): boolean {
    return head.contentLength <= this.#options.bodyLimitBytes && this.#options.takes(head);
  }

  /** Memory that waits for the rest of the body. */
  #missing(): Uint8Array<ArrayBuffer> {
    return this.#body.subarray(this.#bodyEnd, this.#bodyStart + (this.#head as KnownHead).head.contentLength);
  }

  /** Takes bytes that were read into their place, or elsewhere. */
  #fill(bytes: Uint8Array<ArrayBuffer>): void {
    const missing = this.#missing();
    const own = bytes.byteLength <= missing.byteLength ? bytes : bytes.subarray(0, missing.byteLength);
    if (bytes.buffer !== missing.buffer) missing.set(own);
    this.#bodyEnd += own.byteLength;
    if (own.byteLength < missing.byteLength) return;
    if (bytes.byteLength > own.byteLength) this.#unread = Buffer.from(bytes.subarray(own.byteLength));
    void this.#answer({ bytes: this.#body.subarray(this.#bodyStart, this.#bodyEnd), completeNs: monotonicNs() });
  }

  async #answer(body: RequestBody): Promise<void> {
    this.#enter('answering');
    this.#client = { headNs: this.#headNs, onGone: undefined };
    const answer = await this.#options.answer((this.#head as KnownHead).head, body, this.#client);
    if (this.#state !== 'answering') return;
    const isLast = this.#closesAfterAnswer;
    const hasRoom = 'parts' in answer ? await this.#stream(answer, isLast) : this.#write(answer, isLast);
    this.#client = undefined;
    if (!this.#isAnswering()) return;
    this.#enter(isLast ? 'closed' : 'idle');
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
    this.#enter('closed');
    this.#write({ status, ...encodeError(sentence) }, true);
    this.#socket.destroySoon();
  }

  #write(answer: DirectAnswer, isLast: boolean): boolean {
    const { body } = answer;
    const head = this.#headOf(answer, isLast);
    if (body.byteLength <= SMALL_ANSWER_BYTES) {
      const whole = Buffer.allocUnsafe(head.length + body.byteLength);
      whole.write(head, 'latin1');
      whole.set(body, head.length);
      return this.#socket.write(whole);
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    const hasRoom = this.#socket.write(body);
    this.#socket.uncork();
    return hasRoom;
  }

  /** Returns when the last part was written, or the connection is broken off. */
  async #stream(answer: StreamedAnswer, isLast: boolean): Promise<boolean> {
    const { parts } = answer;
    const ended = finished(parts);
    this.#socket.write(this.#headOf(answer, isLast), 'latin1');
    parts.pipe(this.#socket, { end: false });
    await ended.catch(() => {
      this.#enter('closed');
      this.#socket.destroy();
    });
    return !this.#socket.writableNeedDrain;
  }

  #headOf({ status, headers }: Pick<DirectAnswer, 'status' | 'headers'>, isLast: boolean): string {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    const connection = isLast ? 'close' : `keep-alive\r\nkeep-alive: timeout=${this.#keepAliveS}`;
    return `${head}date: ${httpDate()}\r\nconnection: ${connection}\r\n\r\n`;
  }

  /** The state may have changed while an answer went out; a comparison in place would count as settled. */
  #isAnswering(): boolean {
    return this.#state === 'answering';
  }

  #goOn(): void {
    if (this.#unread.byteLength > 0) this.#readHead(this.#unread);
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
        if (this.#client?.onGone === undefined) this.#closesAfterAnswer = true;
        else this.#socket.destroy();
        return;
      case 'given away':
      case 'closed':
        return;
      default:
        unreachable(this.#state);
    }
  }

  #giveAway(): void {
    this.#enter('given away');
    const socket = this.#socket;
    socket.off('end', this.#onEnd).off('error', ignoreReset).off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    this.#options.onGone();
    this.#options.handOver(socket, this.#unread);
  }

  #enter(state: State): void {
    this.#state = state;
    if (state === 'head' || state === 'body') this.#timer.refresh();
    else if (state === 'closed' || state === 'given away') clearTimeout(this.#timer);
  }

  /** What arrives took too long. */
  #giveUp(): void {
    if (this.#state === 'head') this.#giveAway();
    else if (this.#state === 'body') this.#refuseBody(408, 'the request took too long to arrive');
  }
}

/** A head with its bytes: a client sends the same one again and again, and bytes are compared faster than understood. */
class KnownHead {
  readonly head: RequestHead;
  /** Where its body starts in the buffer made for it. */
  readonly bodyStart: number;
  readonly #bytes: Buffer;

  /** @param bytes - copied */
  constructor(bytes: Buffer, head: RequestHead, bodyStart: number) {
    this.#bytes = Buffer.from(bytes);
    this.head = head;
    this.bodyStart = bodyStart;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Whether bytes begin with this head, to its last. */
  begins(bytes: Buffer): boolean {
    const { byteLength } = this.#bytes;
    return bytes.byteLength >= byteLength && this.#bytes.compare(bytes, 0, byteLength) === 0;
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
