import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { LoadError } from '../../errors.ts';

/**
 * The parts of autocannon that pacing leans on. Only `setupClient` is public; the rest are internals of the one version named here, which is why that version is
 * checked when the generator starts and every member listed has a contract test.
 */
export const AUTOCANNON_VERSION = '9.0.0';

/** What autocannon's parser tells about the head of a reply. */
export interface ReplyHead {
  readonly statusCode: number;
  /** Name, value, name, value ... as they came. */
  readonly headers: readonly string[];
  readonly shouldKeepAlive: boolean;
}

/** autocannon's HTTP parser (http-parser-js): one per client, kept across its connections. */
export interface ReplyParser {
  /** Bytes consumed, or what was wrong with them. */
  execute(chunk: Buffer): number | Error;
  /** Tells that the connection ended, which completes a reply without a length. */
  finish(): Error | undefined;
  reinitialize(type: string): void;
  readonly type: string;
  readonly state: string;
  [PARSER_CALLBACK.headersComplete]: (head: ReplyHead) => unknown;
  [PARSER_CALLBACK.body]: (bytes: Buffer, start: number, length: number) => void;
  [PARSER_CALLBACK.messageComplete]: () => void;
}

/** Under which keys the parser holds its callbacks. */
export const PARSER_CALLBACK = { headersComplete: 2, body: 3, messageComplete: 4 } as const;

/** A client of autocannon: one connection, one request in flight. */
export interface AutocannonClient extends EventEmitter {
  conn: Socket;
  readonly parser: ReplyParser;
  _connect(): void;
  _doRequest(): void;
  _destroyConnection(): void;
  getRequestBuffer(): Buffer;
  destroy(): void;
}

interface AutocannonOptions {
  readonly url: string;
  readonly connections: number;
  readonly duration: number;
  readonly timeout: number;
  readonly sampleInt: number;
  readonly skipAggregateResult: boolean;
  readonly setupClient: (client: AutocannonClient) => void;
}

interface AutocannonRun extends EventEmitter {
  stop(): void;
}

type Autocannon = (options: AutocannonOptions, done: (error: Error | null) => void) => AutocannonRun;

/**
 * Seconds that are never reached. autocannon's own clock ends a run after `duration` and drops a connection after `timeout`; we do both, from the intended
 * times. Longer would overflow Node's timers, which hold 2^31 ms.
 */
const NEVER_S = 1_000_000;

/** How often autocannon looks whether it was stopped, milliseconds; by default it takes a second. */
const STOPS_WITHIN_MS = 50;

const require = createRequire(import.meta.url);

/**
 * Creates autocannon's clients against an address; each is given to `setupClient` before it connects. Returns a function that ends them, and waits until autocannon
 * has put its own figures together, which would disturb whatever came next.
 *
 * None of autocannon's rate options is set, so its quota per second and its correction for coordinated omission (which it ties to a rate) never run.
 * @throws LoadError for another version of autocannon, and for options that it refuses
 */
export function startClients(
  url: string,
  connections: number,
  setupClient: (client: AutocannonClient) => void,
): () => Promise<void> {
  checkVersion();
  const autocannon = require('autocannon') as Autocannon;
  const clients: AutocannonClient[] = [];
  let refusal: Error | null = null;
  let onDone: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    onDone = resolve;
  });
  const run = autocannon(
    {
      url,
      connections,
      duration: NEVER_S,
      timeout: NEVER_S,
      sampleInt: STOPS_WITHIN_MS,
      skipAggregateResult: true,
      setupClient: (client) => {
        clients.push(client);
        setupClient(client);
      },
    },
    (error) => {
      refusal = error;
      onDone();
    },
  );
  if (refusal !== null || clients.length !== connections) {
    throw new LoadError(
      {
        where: url,
        what: `autocannon made ${clients.length} of ${connections} clients`,
        hint: refusal === null ? 'Fewer connections may help.' : (refusal as Error).message,
      },
      refusal ?? undefined,
    );
  }
  return () => {
    run.stop();
    for (const client of clients) client.destroy();
    return done;
  };
}

function checkVersion(): void {
  const { version } = require('autocannon/package.json') as { version: string };
  if (version === AUTOCANNON_VERSION) return;
  throw new LoadError({
    what: `autocannon ${version} is installed, and dse paces the internals of ${AUTOCANNON_VERSION}`,
    hint: `Install the version dse pins: npm install --save-exact autocannon@${AUTOCANNON_VERSION}`,
  });
}
