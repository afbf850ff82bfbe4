import { type Client, type Metadata, type ServerUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import { asBytes } from '../../grpc-channel.ts';
import { httpStatusOf } from '../../grpc-http-status.ts';
import { monotonicNs } from '../../units.ts';
import type { AttemptEnd, Exchange } from '../attempt.ts';
import type { Target } from '../routes.ts';
import type { Upstream } from '../upstream.ts';
import { withModelName } from './model-name.ts';

/** What a client is told at the end of a call. */
export interface CallAnswer {
  readonly error: ServiceError | null;
  readonly message: Buffer | undefined;
  readonly trailer: Metadata;
}

export interface CallOptions {
  readonly clientOf: (upstream: Upstream) => Client;
  /** How long an upstream may take, milliseconds. */
  readonly timeoutMs: number;
  readonly answer: (answer: CallAnswer) => void;
}

type Call = Pick<
  ServerUnaryCall<Buffer, Buffer>,
  'request' | 'metadata' | 'getDeadline' | 'getPath' | 'cancelled' | 'on'
>;

/** Metadata of one connection; grpc-js writes its own. */
const OF_CONNECTION = ['user-agent', 'te', 'content-type', 'grpc-accept-encoding', 'accept-encoding', 'grpc-encoding'];
const OF_ANSWER = ['content-type', 'date', 'grpc-accept-encoding', 'accept-encoding', 'grpc-encoding'];

/** Names the upstream that answered. */
const UPSTREAM_KEY = 'dse-upstream';

/** grpc-js's words for a call of which nothing was sent: it tells its own errors from the server's in words alone. */
const NOT_SENT = /^No connection established|^Name resolution failed|^Failed to connect|ECONNREFUSED/;

/** A unary call of the protocol whose messages go through as the bytes they are. */
export class CallExchange implements Exchange<CallAnswer> {
  readonly isInference: boolean;
  readonly failure = undefined;
  readonly #name: string;
  readonly #call: Call;
  readonly #options: CallOptions;
  #cancel: () => void = () => {};

  /** @param name - the model that the request names */
  constructor(name: string, call: Call, isInference: boolean, options: CallOptions) {
    this.#name = name;
    this.#call = call;
    this.#options = options;
    this.isInference = isInference;
    call.on('cancelled', () => this.#cancel());
  }

  refuse(refusal: CallAnswer): void {
    this.#options.answer(refusal);
  }

  attempt({ upstream, model }: Target): Promise<AttemptEnd<CallAnswer>> {
    const { request, metadata } = this.#call;
    const { clientOf, timeoutMs, answer } = this.#options;
    const message = model === this.#name ? request : withModelName(request, model);
    const sendBy = Date.now() + timeoutMs;
    const deadline = Math.min(sendBy, Number(this.#call.getDeadline()));
    return new Promise((resolve) => {
      let hasHead = false;
      let result: { readonly error: ServiceError | null; readonly message: Buffer | undefined } | undefined;
      const asked = without(metadata, OF_CONNECTION);
      const sent = clientOf(upstream).makeUnaryRequest(
        this.#call.getPath(),
        asBytes,
        asBytes,
        message,
        asked,
        { deadline },
        (error, value) => {
          result = { error, message: value };
        },
      );
      this.#cancel = () => sent.cancel();
      sent.on('metadata', () => {
        hasHead = true;
      });
      // Comes right after the answer, and with the trailer.
      sent.on('status', ({ code, details, metadata: tail }) => {
        this.#cancel = () => {};
        const isServers = hasHead || Object.keys(tail.getMap()).length > 0;
        if (this.#call.cancelled) {
          resolve({ kind: 'client-gone' });
        } else if (!isServers && code === status.UNAVAILABLE && NOT_SENT.test(details)) {
          resolve({ kind: 'not-sent', error: new Error('its gRPC side refuses connections') });
        } else if (!isServers && code === status.DEADLINE_EXCEEDED) {
          resolve({ kind: 'late' });
        } else if (!isServers && code !== status.OK) {
          resolve({ kind: 'lost', error: new Error('it closed the connection') });
        } else {
          const trailer = without(tail, OF_ANSWER);
          trailer.set(UPSTREAM_KEY, upstream.name);
          const { error = null, message: bytes } = result ?? {};
          if (code === status.UNAVAILABLE) {
            resolve({ kind: 'refused', answer: { error, message: bytes, trailer } });
            return;
          }
          answer({ error, message: bytes, trailer });
          resolve({ kind: 'answered', status: httpStatusOf(code), headNs: monotonicNs() });
        }
      });
    });
  }
}

function without(metadata: Metadata, names: readonly string[]): Metadata {
  const kept = metadata.clone();
  for (const name of names) kept.remove(name);
  return kept;
}
