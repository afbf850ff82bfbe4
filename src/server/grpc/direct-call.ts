import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { monotonicNs, NS_PER_MS } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { isFault } from '../is-fault.ts';
import { MessageIntake, type WholeMessage } from './message-intake.ts';
import type { PlainHead } from './plain-call.ts';
import { CallError, type CallStatus, grpcError } from './status.ts';

/** An answer as it goes out: a message behind room for its prefix, and what the trailer says beside the status. */
export interface DirectReply {
  readonly message: Uint8Array;
  readonly trailer: Readonly<Record<string, string>>;
}

export interface DirectCallOptions {
  readonly messageLimitBytes: number;
  /** Memory of messages. That of a message which is answered belongs to whoever answers. */
  readonly pool: BufferPool;
  /** @throws KserveError where the request is refused, CallError where it is no message of the method */
  readonly answer: (message: WholeMessage, deadlineNs: number | undefined) => Promise<DirectReply>;
  /** Called with errors that are the server's fault, for its log. */
  readonly onError: (error: unknown) => void;
}

type State = 'reading' | 'answering' | 'ended';

const PREFIX_BYTES = 5;

/** Node's timers hold no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The same as grpc-js sends. */
const REPLY_HEAD: OutgoingHttpHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
  'grpc-encoding': 'identity',
};

/**
 * Answers one plain call straight on its HTTP/2 stream.
 *
 *     reading --the client has sent all--> answering --answered or refused--> ended
 *        '--no message, or past its deadline--> ended        (closed by the client: ended, from anywhere)
 *
 * grpc-js gathers a message from its pieces into fresh memory, from where a tensor has to be copied once more to lie aligned, and takes each call through interceptors, metadata and a
 * read queue. Here each byte is copied once, into memory that is used again; of a request of one image (600 KB) the server's thread then has 12 % less to do.
 * Source: gRPC, doc/PROTOCOL-HTTP2.md.
 */
export class DirectCall {
  readonly #stream: ServerHttp2Stream;
  readonly #options: DirectCallOptions;
  readonly #intake: MessageIntake;
  readonly #deadlineNs: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #state: State = 'reading';

  constructor(stream: ServerHttp2Stream, { timeoutMs }: PlainHead, options: DirectCallOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#intake = new MessageIntake(options.messageLimitBytes, options.pool);
    if (timeoutMs !== undefined) {
      this.#deadlineNs = monotonicNs() + timeoutMs * NS_PER_MS;
      this.#timer = setTimeout(() => this.#refuse(deadlineExceeded()), Math.min(timeoutMs, LONGEST_TIMER_MS));
    }
    stream.on('error', ignoreReset);
    stream.on('close', () => this.#end());
    stream.on('data', (bytes: Buffer) => this.#read(bytes));
    stream.on('end', () => void this.#answer());
  }

  /** What comes behind the end of a call is read and forgotten, so that its connection goes on. */
  #read(bytes: Buffer): void {
    if (this.#state !== 'reading') return;
    try {
      this.#intake.add(bytes);
    } catch (error) {
      this.#refuseFor(error);
    }
  }

  async #answer(): Promise<void> {
    if (this.#state !== 'reading') return;
    try {
      const message = this.#intake.take();
      this.#state = 'answering';
      const { answer } = this.#options;
      this.#reply(await answer(message, this.#deadlineNs));
    } catch (error) {
      this.#refuseFor(error);
    }
  }

  #reply({ message, trailer }: DirectReply): void {
    if (this.#isOver()) return;
    const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
    framed[0] = 0;
    framed.writeUInt32BE(message.byteLength, 1);
    framed.set(message, PREFIX_BYTES);
    const stream = this.#stream;
    this.#end();
    stream.respond(REPLY_HEAD, { waitForTrailers: true });
    stream.once('wantTrailers', () =>
      stream.sendTrailers({ ...trailerOf({ code: status.OK, details: 'OK' }), ...trailer }),
    );
    stream.end(framed);
  }

  #refuseFor(error: unknown): void {
    if (!(error instanceof CallError) && isFault(error)) this.#options.onError(error);
    this.#refuse(error instanceof CallError ? error : grpcError(error));
  }

  /** Ends the call with a status alone. */
  #refuse(why: CallStatus): void {
    if (this.#isOver()) return;
    this.#end();
    this.#stream.respond({ ...REPLY_HEAD, ...trailerOf(why) }, { endStream: true });
  }

  /** Nothing can be said any more once the client has closed the call; Node tells of that a little later. */
  #isOver(): boolean {
    return this.#state === 'ended' || this.#stream.destroyed || this.#stream.closed;
  }

  #end(): void {
    this.#state = 'ended';
    this.#intake.drop();
    clearTimeout(this.#timer);
  }
}

/** Status and details as fields. Percent-encoding is the protocol's. */
function trailerOf({ code, details }: CallStatus): OutgoingHttpHeaders {
  return { 'grpc-status': code, 'grpc-message': encodeURI(details) };
}

function deadlineExceeded(): CallError {
  return new CallError(status.DEADLINE_EXCEEDED, 'the deadline of the call is over');
}

/** A client that went away is no error of the server's. */
function ignoreReset(): void {}
