import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { MODEL_INFER_PATH, WINDOW_BYTES } from '../../grpc-channel.ts';
import { monotonicNs } from '../../units.ts';
import { OUTCOME } from '../types.ts';
import { GrpcReply } from './grpc-reply.ts';
import type { Ending, InFlight, LoadClient, OnEnd, Traffic } from './load-client.ts';
import type { PreparedRequest } from './requests.ts';

/**
 * A gRPC client over a connection of its own, as each HTTP client has one, so that protocols are compared with as many connections.
 *
 * It speaks HTTP/2 by itself: a call through grpc-js takes the generator twice the CPU time, which the next request waits for and every latency contains. A call ends with its status, which
 * is after its answer; nothing else of it is looked at while the clock runs. No deadline is sent: as over HTTP, the client gives up by itself.
 * Source: gRPC, doc/PROTOCOL-HTTP2.md.
 */
export class GrpcClient implements LoadClient {
  readonly #address: string;
  readonly #headers: OutgoingHttpHeaders;
  readonly #traffic: Traffic;
  readonly #onEnd: OnEnd;
  #session: ClientHttp2Session;
  #stream: ClientHttp2Stream | undefined;
  #inFlight: InFlight | undefined;

  constructor(address: string, traffic: Traffic, onEnd: OnEnd) {
    this.#address = address;
    this.#headers = {
      ':method': 'POST',
      ':path': MODEL_INFER_PATH,
      ':scheme': 'http',
      ':authority': address,
      te: 'trailers',
      'content-type': 'application/grpc',
    };
    this.#traffic = traffic;
    this.#onEnd = onEnd;
    this.#session = this.#open();
  }

  get inFlight(): InFlight | undefined {
    return this.#inFlight;
  }

  get isConnecting(): boolean {
    return this.#session.connecting && !this.#session.destroyed;
  }

  release(request: PreparedRequest, intendedNs: number, waitedForClient: boolean): void {
    if (this.#inFlight !== undefined) throw new Error('a client was released while its request was in flight');
    // Closed too where the server has said that it will take no more.
    if (this.#session.closed || this.#session.destroyed) this.#session = this.#open();
    const session = this.#session;
    const sent: InFlight = { request, intendedNs, sentNs: monotonicNs(), waitedForClient };
    this.#inFlight = sent;
    this.#traffic.activity++;
    const stream = session.request(this.#headers);
    this.#stream = stream;
    const end = (how: Ending) => {
      // Given up meanwhile.
      if (this.#inFlight === sent) this.#end(how);
      if (!stream.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
    };
    const reply = new GrpcReply(end);
    stream.on('response', (headers) => reply.takeHead(headers));
    stream.on('data', (part: Buffer) => reply.add(part));
    stream.on('trailers', (trailer) => reply.takeTrailer(trailer));
    stream.on('end', () => reply.endBody());
    // It is closed next, and is lost unless it was answered.
    stream.on('error', () => {});
    stream.on('close', () => reply.close(session.connecting ? OUTCOME.refused : OUTCOME.reset));
    stream.end(request.bytes);
  }

  abandon(outcome: number, doneNs: number): void {
    const stream = this.#stream;
    this.#end({ outcome, doneNs, head: undefined, body: [] });
    stream?.close(constants.NGHTTP2_CANCEL);
  }

  close(): void {
    if (this.isConnecting) this.#session.destroy();
    else this.#session.close();
  }

  #open(): ClientHttp2Session {
    const session = connect(`http://${this.#address}`, {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // A large message waits for the server's window in it.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    // The request in flight, if there is one, tells of it.
    session.on('error', () => {});
    return session;
  }

  #end(how: Ending): void {
    const ended = this.#inFlight;
    this.#inFlight = undefined;
    this.#stream = undefined;
    this.#traffic.activity++;
    if (ended !== undefined) this.#onEnd(this, ended, how);
  }
}
