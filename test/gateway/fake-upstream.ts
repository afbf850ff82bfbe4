import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewaySettings } from '../../src/gateway/types.ts';

/** A server that says its models are ready and answers inference requests as it is told to. */
export class FakeUpstream implements AsyncDisposable {
  /** Bodies of the inference requests that came whole. */
  readonly bodies: Buffer[] = [];
  /** Inference requests that came, also in part. */
  requests = 0;
  isReady = true;
  #server: Server;
  #port = 0;

  constructor(answer: (request: IncomingMessage, response: ServerResponse, upstream: FakeUpstream) => unknown) {
    this.#server = createServer((request, response) => {
      if (request.url?.endsWith('/ready')) {
        response.writeHead(this.isReady ? 200 : 503).end('{}');
        return;
      }
      this.requests++;
      answer(request, response, this);
    });
  }

  static async start(...[answer]: ConstructorParameters<typeof FakeUpstream>): Promise<FakeUpstream> {
    const upstream = new FakeUpstream(answer);
    await upstream.listen();
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, again at the same port where it did before. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Answers with a status once the whole body is there. */
export function answering(status: number, headers: Readonly<Record<string, string>> = {}) {
  return async (request: IncomingMessage, response: ServerResponse, upstream: FakeUpstream) => {
    upstream.bodies.push(await readAll(request));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(`{"said":${status}}`);
  };
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A gateway's settings with the model "m" on each of the addresses, named a, b, ...; the first comes first by its share. */
export function settingsFor(urls: readonly string[], changes: Partial<GatewaySettings> = {}): GatewaySettings {
  const upstreams = urls.map((url, index) => ({ name: 'abc'[index] as string, url }));
  const targets = upstreams.map(({ name }, index) => ({ upstream: name, model: 'm', share: index === 0 ? 1e9 : 1e-9 }));
  return {
    ...{ host: '127.0.0.1', port: 0, seed: 1, upstreams, models: [{ name: 'm', targets }] },
    ...{ pollIntervalMs: 20, pollTimeoutMs: 5_000, timeoutMs: 20_000, bodyLimitBytes: 10e6, drainTimeoutMs: 5_000 },
    ...changes,
  };
}
