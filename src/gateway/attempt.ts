import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { KserveError } from '../kserve/index.ts';
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

/** A request on its way to the targets of its model, one after the other. */
export interface Exchange<Refusal> {
  /** Only inference draws from the sequence of choices and counts in the metrics. */
  readonly isInference: boolean;
  /** Why it cannot be sent (again); undefined where it can. */
  readonly failure: KserveError | undefined;
  /** Never rejects. */
  attempt(target: Target): Promise<AttemptEnd<Refusal>>;
  /** Gives the client a refusal that was held back. */
  refuse(refusal: Refusal): void;
}

/** How an attempt to have a request answered by one target ended. */
export type AttemptEnd<Refusal> =
  /** The answer went to the client as it came. `headNs`: when its head was there. */
  | { readonly kind: 'answered'; readonly status: number; readonly headNs: number }
  /** No byte of the request was written: no connection could be had. */
  | { readonly kind: 'not-sent'; readonly error: unknown }
  /** The upstream said 503: it has not begun, and will not. */
  | { readonly kind: 'refused'; readonly answer: Refusal }
  /** Bytes had been written and no answer came. The model may have run. */
  | { readonly kind: 'lost'; readonly error: unknown }
  /** The same, the upstream being silent for too long. */
  | { readonly kind: 'late' }
  /** The answer broke off when its head had gone to the client, whose connection was closed for it to notice. */
  | { readonly kind: 'broken'; readonly error: unknown }
  | { readonly kind: 'client-gone' };

interface RefusedAnswer {
  readonly headers: Fields;
  readonly body: Buffer;
}

/** Status with which a server refuses before it begins. Source: RFC 9110, section 15.6.4. */
const REFUSED = 503;

/** Names the upstream that answered. */
const UPSTREAM_HEADER = 'dse-upstream';

/** A request over HTTP, whose answer goes on to the client part by part. A 503 is held back, so that another target can be tried; everything else goes out as it comes. */
export function httpExchange(request: ForwardedRequest, reply: Reply): Exchange<RefusedAnswer> {
  return {
    isInference: request.body !== undefined,
    get failure() {
      return request.body?.failure;
    },
    attempt: (target) => attempt(target, request, reply),
    refuse({ headers, body }) {
      reply.begin(REFUSED, { ...headers, 'content-length': String(body.byteLength) });
      reply.write(body);
      reply.end();
    },
  };
}

function attempt(
  { upstream, model }: Target,
  request: ForwardedRequest,
  reply: Reply,
): Promise<AttemptEnd<RefusedAnswer>> {
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
  readonly #resolve: (end: AttemptEnd<RefusedAnswer>) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headNs = 0;
  #refused: { readonly headers: RefusedAnswer['headers']; readonly parts: Buffer[] } | undefined;

  constructor(
    name: string,
    reply: Reply,
    body: RequestBytes | undefined,
    resolve: (end: AttemptEnd<RefusedAnswer>) => void,
  ) {
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
    } else if (this.#controller === undefined) {
      this.#end({ kind: 'not-sent', error });
    } else {
      this.#end(isLate(error) ? { kind: 'late' } : { kind: 'lost', error });
    }
  }

  #end(end: AttemptEnd<RefusedAnswer>): void {
    this.#reply.onGone = undefined;
    this.#reply.onRoom = undefined;
    this.#resolve(end);
  }
}

function isLate(error: unknown): boolean {
  const { code } = error as { readonly code?: string };
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}
