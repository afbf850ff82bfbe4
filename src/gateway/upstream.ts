import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildConnector, Pool } from 'undici';
import { messageOf } from '../errors.ts';
import type { GatewaySettings, TargetState, UpstreamSettings } from './types.ts';

/** How long a connection may take to be made, milliseconds. */
const CONNECT_TIMEOUT_MS = 1_000;

/** Looks in a row that may go unanswered before an upstream counts as down: a busy server is late now and then. */
const MISSED_LOOKS = 2;

/** An answer that was read as a whole. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What an upstream says of a model: nothing where it is ready, else why it is not. */
export type ModelStates = ReadonlyMap<string, string | undefined>;

export interface UpstreamEvents {
  /** It went down or came back, or says something else of a model. */
  onChange(upstream: Upstream, sentence: string): void;
  /** Something of it was found out: what it says of itself holds from now on, changed or not. */
  onNews(): void;
}

/**
 * A server behind the gateway: its connections, and what is known of its health.
 *
 *     unknown --look answered--> up <--look answered-- down
 *        '--- look failed -------'--- refused, reset, or two looks unanswered ---^
 *
 * Looks go out one after another, `pollIntervalMs` apart. A request that finds the server gone says so at once, through `eject`; only a look that was sent later brings it back.
 */
export class Upstream implements AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** Host and port of its gRPC side. */
  readonly grpc: string | undefined;
  readonly pool: Pool;
  readonly #readModels: (upstream: Upstream) => Promise<ModelStates>;
  readonly #events: UpstreamEvents;
  readonly #settings: GatewaySettings;
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  #models: ModelStates = new Map();
  #downReason: string | undefined = 'it was not asked yet';
  #missedLooks = 0;
  /** Counts ejections, so that a look sent before one does not undo it. */
  #ejections = 0;
  #looking: Promise<void> = Promise.resolve();

  /** @param readModels - asks an upstream for the state of its models; rejects where it does not answer */
  constructor(
    { name, url, grpc }: UpstreamSettings,
    settings: GatewaySettings,
    readModels: (upstream: Upstream) => Promise<ModelStates>,
    events: UpstreamEvents,
  ) {
    this.name = name;
    this.url = url;
    this.grpc = grpc;
    this.#settings = settings;
    this.#readModels = readModels;
    this.#events = events;
    const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
    this.pool = new Pool(url, {
      connect: (options, callback) =>
        connect(options, (...[error, socket]) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          this.#sockets.add(socket);
          socket.once('close', () => this.#sockets.delete(socket));
          callback(null, socket);
        }),
      headersTimeout: settings.timeoutMs,
      bodyTimeout: settings.timeoutMs,
    });
  }

  get isUp(): boolean {
    return this.#downReason === undefined;
  }

  /** Why it is down; undefined where it is up. */
  get downReason(): string | undefined {
    return this.#downReason;
  }

  /** Every model it has told of, also while it is down. */
  get models(): ModelStates {
    return this.#models;
  }

  /** Whether the kernel has every byte that was written to it, so that no memory of a request is still read from. */
  get hasAllWritten(): boolean {
    for (const { writableLength } of this.#sockets) if (writableLength > 0) return false;
    return true;
  }

  stateOf(model: string): TargetState {
    if (!this.isUp) return 'down';
    return this.#models.has(model) && this.#models.get(model) === undefined ? 'ready' : 'not-ready';
  }

  /** Why requests for a model do not go there; undefined where they do. */
  reasonOf(model: string): string | undefined {
    if (this.#downReason !== undefined) return this.#downReason;
    return this.#models.has(model) ? this.#models.get(model) : 'it does not have the model';
  }

  /** A request found it gone. */
  eject(reason: string): void {
    this.#ejections++;
    this.#goDown(reason);
    this.#events.onNews();
  }

  /** Looks once and updates what is known. */
  async look(): Promise<void> {
    const ejections = this.#ejections;
    try {
      const models = await this.#readModels(this);
      if (ejections !== this.#ejections) return;
      this.#missedLooks = 0;
      this.#tellChanges(models);
      this.#models = models;
      if (this.#downReason === undefined) return;
      this.#downReason = undefined;
      this.#events.onChange(this, 'is up');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#missedLooks++;
      if (!isTimeout(error) || this.#missedLooks >= MISSED_LOOKS || this.#models.size === 0)
        this.#goDown(describe(error));
    } finally {
      this.#events.onNews();
    }
  }

  /** Goes on looking until it is disposed. */
  keepLooking(): void {
    this.#looking = (async () => {
      while (await this.#pause()) await this.look();
    })();
  }

  /** Asks for something small, within the time of a look. */
  async ask(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.#settings.pollTimeoutMs), this.#stopping.signal]);
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.pool.request({ method, path, headers, signal, ...(body !== undefined && { body }) });
    return { status: response.statusCode, text: await response.body.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await this.pool.destroy();
  }

  #pause(): Promise<boolean> {
    const { signal } = this.#stopping;
    return sleep(this.#settings.pollIntervalMs, true, { signal }).catch(() => false);
  }

  #goDown(reason: string): void {
    const wasUp = this.isUp;
    this.#downReason = reason;
    if (wasUp) this.#events.onChange(this, `is down: ${reason}`);
  }

  #tellChanges(models: ModelStates): void {
    for (const [model, reason] of models) {
      if (this.#models.has(model) && this.#models.get(model) === reason) continue;
      if (!this.#models.has(model) && reason === undefined) continue;
      this.#events.onChange(
        this,
        reason === undefined ? `has "${model}" ready` : `has "${model}" not ready: ${reason}`,
      );
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

/** What went wrong on the way to an upstream, in words. */
export function describe(error: unknown): string {
  const { code } = error as { readonly code?: string };
  switch (code) {
    case 'ECONNREFUSED':
      return 'it refuses connections';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'it closed the connection';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no connection could be made in time';
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'it did not answer in time';
    default:
      return isTimeout(error) ? 'it did not answer in time' : messageOf(error);
  }
}
