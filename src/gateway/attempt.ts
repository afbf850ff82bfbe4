import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { monotonicNs } from '../units.ts';
import { answerFields, type Fields } from './header-fields.ts';
import type { RequestBytes } from './held-body.ts';
import type { Reply } from './reply.ts';
import type { Target } from './routes.ts';

/** A request as every attempt at it is made. */
export interface ForwardedRequest {
  readonly method: 'GET' | 'POST';
  /** What stands behind the model's name in the path, e.g. "/infer". */
  readonly rest: string;
  readonly headers: Readonly<Fields>;
  /** Undefined where the method has none. */
  readonly body: RequestBytes | undefined;
}

/** How an attempt to have a request answered by one target ended. */
export type AttemptEnd =
  /** The answer went to the client as it came. `headNs`: when its head was there. */
  | { readonly kind: 'answered'; readonly status: number; readonly headNs: number }
  /** No byte of the request was written: no connection could be had. */
  | { readonly kind: 'not-sent'; readonly error: unknown }
  /** The upstream said 503: it has not begun, and will not. */
  | { readonly kind: 'refused'; readonly answer: RefusedAnswer }
  /** Bytes had been written and no answer came. The model may have run. */
  | { readonly kind: 'lost'; readonly error: unknown }
  /** The answer broke off when its head had gone to the client, whose connection was closed for it to notice. */
  | { readonly kind: 'broken'; readonly error: unknown }
  | { readonly kind: 'client-gone' };

export interface RefusedAnswer {
  readonly headers: Fields;
  readonly body: Buffer;
}

/** Status with which a server refuses before it begins. Source: RFC 9110, section 15.6.4. */
const REFUSED = 503;

/** Names the upstream that answered. */
const UPSTREAM_HEADER = 'dse-upstream';

/**
 * Sends a request to one target and its answer on to the client, part by part.
 *
 * A 503 is held back, so that another target can be tried; everything else goes out as it comes. Never rejects.
 */
export function attempt({ upstream, model }: Target, request: ForwardedRequest, reply: Reply): Promise<AttemptEnd> {
  const { method, rest, headers, body } = request;
  return new Promise((resolve) => {
    const passing = new PassingAnswer(upstream.name, reply, body, resolve);
    const path = `/v2/models/${encodeURIComponent(model)}${rest}`;
    upstream.pool.dispatch({ method, path, headers, body: bytesOf(body) }, passing);
  });
}

/** Any async iterable will do; the types of `dispatch` do not say so, those of `request` do. */
function bytesOf(body: RequestBytes | undefined): Uint8Array | Readable | null {
  return (body?.read() ?? null) as Uint8Array | Readable | null;
}

class PassingAnswer implements Dispatcher.DispatchHandler {
  readonly #name: string;
  readonly #reply: Reply;
  readonly #body: RequestBytes | undefined;
  readonly #resolve: (end: AttemptEnd) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headNs = 0;
  #refused: { readonly headers: RefusedAnswer['headers']; readonly parts: Buffer[] } | undefined;

  constructor(name: string, reply: Reply, body: RequestBytes | undefined, resolve: (end: AttemptEnd) => void) {
    this.#name = name;
    this.#reply = reply;
    this.#body = body;
    this.#resolve = resolve;
    reply.onGone = () => this.#controller?.abort(new Error('the client went away'));
    reply.onRoom = () => this.#controller?.resume();
  }

  /** The next thing to happen is the first byte being written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#reply.isGone) controller.abort(new Error('the client went away'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headNs = monotonicNs();
    const fields = answerFields(headers);
    fields[UPSTREAM_HEADER] = this.#name;
    if (status === REFUSED) {
      this.#refused = { headers: fields, parts: [] };
      return;
    }
    this.#body?.forget();
    this.#reply.begin(status, fields);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#refused !== undefined) this.#refused.parts.push(chunk);
    else if (!this.#reply.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#refused !== undefined) {
      const { headers, parts } = this.#refused;
      this.#end({ kind: 'refused', answer: { headers, body: Buffer.concat(parts) } });
      return;
    }
    this.#reply.end();
    this.#end({ kind: 'answered', status: this.#status as number, headNs: this.#headNs });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#reply.isGone) {
      this.#end({ kind: 'client-gone' });
    } else if (this.#reply.hasBegun) {
      this.#end({ kind: 'broken', error });
      this.#reply.breakOff();
    } else {
      this.#end({ kind: this.#controller === undefined ? 'not-sent' : 'lost', error });
    }
  }

  #end(end: AttemptEnd): void {
    this.#reply.onGone = undefined;
    this.#reply.onRoom = undefined;
    this.#resolve(end);
  }
}
