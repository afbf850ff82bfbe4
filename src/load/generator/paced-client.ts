import { monotonicNs, NS_PER_MS } from '../../units.ts';
import { OUTCOME } from '../types.ts';
import { type AutocannonClient, PARSER_CALLBACK, type ReplyHead } from './autocannon.ts';
import type { Ending, InFlight, LoadClient, OnEnd, Traffic } from './load-client.ts';
import { findHeader, parseKeepAliveMs } from './reply-headers.ts';
import type { PreparedRequest } from './requests.ts';

export interface PacedClientOptions {
  readonly traffic: Traffic;
  /** HEAD replies announce a length and carry no body. */
  readonly isHead: boolean;
  /** Whether bodies of replies are kept. */
  readonly keepsBody: boolean;
  readonly onEnd: OnEnd;
}

/** An idle connection is given up this long before the server would close it, so that no request runs into the closing. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/**
 * An autocannon client that sends when it is told, and only then.
 *
 *     cold --release--> connecting --> warm --release--> in flight --reply--> warm
 *       ^                   |                                |
 *       '---- refused ------'------- reset, timeout ---------'
 *
 * autocannon reconnects and sends again by itself after every reply and every lost connection. Here both wait for `release`: nothing is sent off schedule, a
 * dead server is asked once per request and not in a hot loop, and each released request ends exactly once.
 */
export class PacedClient implements LoadClient {
  readonly #client: AutocannonClient;
  readonly #options: PacedClientOptions;
  readonly #connect: () => void;
  readonly #doRequest: () => void;
  #state: 'new' | 'cold' | 'connecting' | 'warm' = 'new';
  #request: Buffer = Buffer.alloc(0);
  #inFlight: InFlight | undefined;
  #head: ReplyHead | undefined;
  #body: Buffer[] = [];
  #completedNs: number | undefined;
  #isTrailing = false;
  #reusableUntilNs = Number.POSITIVE_INFINITY;

  /** Takes over a client inside `setupClient`, before it first connects. */
  constructor(client: AutocannonClient, options: PacedClientOptions) {
    this.#client = client;
    this.#options = options;
    this.#connect = client._connect;
    this.#doRequest = client._doRequest;
    client.getRequestBuffer = () => this.#request;
    client._doRequest = () => {};
    client._connect = () => this.#onConnectWish();
    client.on('response', () => {
      this.#completedNs = monotonicNs();
    });
  }

  get inFlight(): InFlight | undefined {
    return this.#inFlight;
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting';
  }

  /** Sends a request now, over a new connection where the old one is gone. Must be idle. */
  release(request: PreparedRequest, intendedNs: number, waitedForClient: boolean): void {
    if (this.#inFlight !== undefined) throw new Error('a client was released while its request was in flight');
    if (this.#state === 'warm' && monotonicNs() >= this.#reusableUntilNs) this.#disconnect();
    if (this.#state === 'cold') this.#open();
    this.#request = request.bytes;
    // Stamped before the hand-over: copying a large body into the kernel takes milliseconds, and that is the request's own way, not a late start.
    this.#inFlight = { request, intendedNs, sentNs: monotonicNs(), waitedForClient };
    this.#doRequest.call(this.#client);
    this.#options.traffic.sentBytes += request.bytes.length;
    this.#options.traffic.activity++;
  }

  /** Gives up the request in flight, as ended at `doneNs`. Its reply may still come, so the connection goes too. */
  abandon(outcome: number, doneNs: number): void {
    this.#disconnect();
    this.#end({ outcome, doneNs, head: undefined, body: [] });
  }

  /** autocannon wants a connection: once when it is made, later because the one it had was lost. */
  #onConnectWish(): void {
    this.#options.traffic.activity++;
    if (this.#state === 'new') {
      this.#watchParser();
      this.#open();
      return;
    }
    const lost = this.#state === 'connecting' ? OUTCOME.refused : OUTCOME.reset;
    // A reply without a length is complete when the connection ends.
    if (this.#client.parser.state === 'BODY_RAW') this.#client.parser.finish();
    this.#disconnect();
    if (this.#completedNs !== undefined) this.#endWithReply(this.#completedNs);
    else {
      // What was queued for a connection that never came did not reach the server.
      if (lost === OUTCOME.refused) this.#options.traffic.sentBytes -= this.#inFlight?.request.bytes.length ?? 0;
      this.#end({ outcome: lost, doneNs: monotonicNs(), head: undefined, body: [] });
    }
  }

  #open(): void {
    this.#state = 'connecting';
    this.#reusableUntilNs = Number.POSITIVE_INFINITY;
    this.#connect.call(this.#client);
    const { conn } = this.#client;
    // The last segment of a large body must not wait for the acknowledgement of the one before.
    conn.setNoDelay(true);
    conn.once('connect', () => {
      if (conn === this.#client.conn) this.#state = 'warm';
    });
  }

  #disconnect(): void {
    this.#client._destroyConnection();
    // The parser outlives the connection and would take the next reply for the rest of this one.
    this.#client.parser.reinitialize(this.#client.parser.type);
    this.#state = 'cold';
  }

  #watchParser(): void {
    const { parser } = this.#client;
    const execute = parser.execute;
    const headersComplete = parser[PARSER_CALLBACK.headersComplete];
    const messageComplete = parser[PARSER_CALLBACK.messageComplete];
    parser.execute = (chunk) => {
      const result = execute.call(parser, chunk);
      this.#onChunk(chunk, result);
      return result;
    };
    parser[PARSER_CALLBACK.headersComplete] = (head) => {
      this.#head = head;
      headersComplete(head);
      return this.#options.isHead;
    };
    // autocannon would turn each piece into text.
    parser[PARSER_CALLBACK.body] = (bytes, start, length) => {
      if (this.#options.keepsBody) this.#body.push(bytes.subarray(start, start + length));
    };
    parser[PARSER_CALLBACK.messageComplete] = () => {
      // Interim replies (1xx) announce the real one.
      if (this.#head !== undefined && this.#head.statusCode < 200) return;
      // autocannon fails on a reply that nobody asked for.
      if (this.#inFlight === undefined || this.#completedNs !== undefined) this.#isTrailing = true;
      else messageComplete();
    };
  }

  /** After the parser has seen all of a chunk, so that a client is never released in the middle of one. */
  #onChunk(chunk: Buffer, result: number | Error): void {
    this.#options.traffic.receivedBytes += chunk.length;
    this.#options.traffic.activity++;
    if (this.#completedNs !== undefined) {
      const isReusable = this.#head?.shouldKeepAlive === true && !this.#isTrailing && !(result instanceof Error);
      if (!isReusable) this.#disconnect();
      this.#endWithReply(this.#completedNs);
    } else if (this.#inFlight === undefined) {
      this.#disconnect();
    } else if (result instanceof Error) {
      this.abandon(OUTCOME.malformed, monotonicNs());
    }
  }

  #endWithReply(doneNs: number): void {
    const keepAliveMs = parseKeepAliveMs(findHeader(this.#head?.headers ?? [], 'keep-alive'));
    this.#reusableUntilNs = doneNs + (keepAliveMs - KEEP_ALIVE_MARGIN_MS) * NS_PER_MS;
    this.#end({ outcome: OUTCOME.ok, doneNs, head: this.#head, body: this.#body });
  }

  #end(how: Ending): void {
    const ended = this.#inFlight;
    this.#inFlight = undefined;
    this.#head = undefined;
    this.#body = [];
    this.#completedNs = undefined;
    this.#isTrailing = false;
    if (ended !== undefined) this.#options.onEnd(this, ended, how);
  }
}
