import { Readable } from 'node:stream';
import type { DirectAnswer, DirectClient, StreamedAnswer } from '../server/index.ts';
import type { Fields } from './header-fields.ts';
import type { Reply } from './reply.ts';

/** An answer of up to so many bytes is gathered and goes out as one. */
const WHOLE_ANSWER_BYTES = 2 ** 20;

/** What a client that is gone is answered. */
const NOTHING: DirectAnswer = { status: 499, headers: {}, body: new Uint8Array() };

/** The reply to a request that was read directly: gathered while it is small, else passed on as it comes. */
export class DirectReply implements Reply {
  onGone: (() => void) | undefined;
  onRoom: (() => void) | undefined;
  /** The answer, when it is whole or has become large; whatever it is where the client went away. */
  readonly answered: Promise<DirectAnswer | StreamedAnswer>;
  #resolve: (answer: DirectAnswer | StreamedAnswer) => void = () => {};
  #isGone = false;
  #status = 0;
  #fields: Fields = {};
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #stream: AnswerStream | undefined;

  constructor(client: DirectClient) {
    this.answered = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    client.onGone = () => {
      this.#isGone = true;
      this.onGone?.();
      this.#stream?.destroy();
      this.#resolve(NOTHING);
    };
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get hasBegun(): boolean {
    return this.#stream !== undefined;
  }

  begin(status: number, fields: Fields): void {
    this.#status = status;
    this.#fields = fields;
    // An answer that broke off before any of it had gone out makes way for what the gateway says of that.
    this.#parts = [];
    this.#bytes = 0;
    if (Number(fields['content-length'] ?? 0) > WHOLE_ANSWER_BYTES) this.#startStream();
  }

  write(part: Uint8Array): boolean {
    if (this.#stream !== undefined) return this.#stream.add(part);
    this.#parts.push(part);
    this.#bytes += part.byteLength;
    return this.#bytes <= WHOLE_ANSWER_BYTES || this.#startStream();
  }

  end(): void {
    if (this.#stream !== undefined) {
      this.#stream.finish();
      return;
    }
    const body = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts);
    const length = isBodiless(this.#status) ? {} : { 'content-length': String(body.byteLength) };
    this.#resolve({ status: this.#status, headers: { ...linesOf(this.#fields), ...length }, body });
  }

  breakOff(): void {
    this.#stream?.destroy(new Error('the answer broke off'));
  }

  /** Returns whether there is room for more. */
  #startStream(): boolean {
    const isChunked = this.#fields['content-length'] === undefined;
    const parts = new AnswerStream(isChunked, () => this.onRoom?.());
    this.#stream = parts;
    const framing = isChunked ? { 'transfer-encoding': 'chunked' } : {};
    this.#resolve({ status: this.#status, headers: { ...linesOf(this.#fields), ...framing }, parts });
    return this.#bytes === 0 || parts.add(Buffer.concat(this.#parts));
  }
}

const CRLF = Buffer.from('\r\n');

/** The bytes of a body whose length is known, or in chunks. Source: RFC 9112, section 7.1. */
class AnswerStream extends Readable {
  readonly #isChunked: boolean;

  constructor(isChunked: boolean, onRoom: () => void) {
    super({ read: onRoom });
    this.#isChunked = isChunked;
    // Where the answer breaks off before the connection has taken the stream; it finds it ended then.
    this.on('error', () => {});
  }

  /** One push a part: each may ask for the next, which would come between. An empty part, which undici gives now and then, would end the chunks. */
  add(part: Uint8Array): boolean {
    if (!this.#isChunked || part.byteLength === 0) return this.push(part);
    return this.push(Buffer.concat([Buffer.from(`${part.byteLength.toString(16)}\r\n`), part, CRLF]));
  }

  finish(): void {
    if (this.#isChunked) this.push('0\r\n\r\n');
    this.push(null);
  }
}

/** Whether answers of a status have neither a body nor a length. Source: RFC 9110, section 8.6. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** Fields as the connection writes them, which dates its answers itself; one of several values becomes as many lines. */
function linesOf({ date: _, ...fields }: Fields): Record<string, string> {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'string') fields[name] = value.join(`\r\n${name}: `);
  }
  return fields as Record<string, string>;
}
