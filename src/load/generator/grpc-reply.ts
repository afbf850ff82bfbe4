import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { httpStatusOf } from '../../grpc-http-status.ts';
import { monotonicNs } from '../../units.ts';
import { OUTCOME } from '../types.ts';
import type { Ending } from './load-client.ts';

type Fields = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** The reply to one call as it comes over HTTP/2, put into the terms of HTTP. It ends once, with its status or with what became of the call instead. */
export class GrpcReply {
  readonly #onEnd: (how: Ending) => void;
  readonly #body: Buffer[] = [];
  #httpStatus: number | undefined;
  /** The fields that hold the status: behind the message, or alone at the head where there is none. */
  #trailer: Fields | undefined;
  #isBodyWhole = false;
  #hasEnded = false;

  constructor(onEnd: (how: Ending) => void) {
    this.#onEnd = onEnd;
  }

  takeHead(headers: Fields): void {
    this.#httpStatus = headers[':status'];
    if (headers['grpc-status'] !== undefined) this.takeTrailer(headers);
  }

  add(part: Buffer): void {
    this.#body.push(part);
  }

  takeTrailer(trailer: Fields): void {
    this.#trailer = trailer;
    if (this.#isBodyWhole) this.#answer(trailer);
  }

  /** No more of the message will come. */
  endBody(): void {
    this.#isBodyWhole = true;
    if (this.#trailer !== undefined) this.#answer(this.#trailer);
  }

  /** Nothing more will come. @param lost - what became of a call of which the reply is not whole */
  close(lost: number): void {
    if (this.#hasEnded) return;
    const isHttpError = this.#httpStatus !== undefined && this.#httpStatus !== 200;
    if (this.#isBodyWhole && isHttpError)
      this.#end(OUTCOME.ok, { statusCode: this.#httpStatus as number, headers: [] });
    else if (this.#isBodyWhole && this.#httpStatus === 200) this.#end(OUTCOME.malformed, undefined);
    else this.#end(lost, undefined);
  }

  #answer(trailer: Fields): void {
    const code = trailer['grpc-status'];
    const timing = trailer['server-timing'];
    if (typeof code !== 'string' || !/^\d+$/.test(code)) {
      this.#end(OUTCOME.malformed, undefined);
      return;
    }
    const headers = timing === undefined ? [] : ['server-timing', String(timing)];
    this.#end(OUTCOME.ok, { statusCode: httpStatusOf(Number(code)), headers });
  }

  #end(outcome: number, head: Ending['head']): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd({ outcome, doneNs: monotonicNs(), head, body: head === undefined ? [] : this.#body });
  }
}
