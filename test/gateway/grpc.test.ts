import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startGateway } from '../../src/gateway/index.ts';
import type { GatewaySettings, RunningGateway } from '../../src/gateway/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { startServer } from '../../src/server/index.ts';
import type { RunningApp } from '../../src/server/types.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';
import { answering, FakeUpstream, settingsFor } from './fake-upstream.ts';

/** A client that knows nothing of dse. */
const { inference } = loadPackageDefinition(
  loadSync(packageFile('proto/open-inference.proto'), { keepCase: true, longs: String, defaults: true }),
) as unknown as { inference: { GRPCInferenceService: ServiceClientConstructor } };

const files = new TinyModels();
let file: string;
let left: RunningApp;
let right: RunningApp;

beforeAll(async () => {
  file = files.add();
  [left, right] = await Promise.all([start('m'), start('other')]);
});
afterAll(async () => {
  await Promise.all([left[Symbol.asyncDispose](), right[Symbol.asyncDispose]()]);
  files[Symbol.dispose]();
});

function start(name: string, changes: { readonly port?: number; readonly grpcPort?: number } = {}) {
  const models = [{ name, file, engine: plainSettings }];
  return startServer({ models, host: '127.0.0.1', port: 0, grpcPort: 0, ...changes });
}

/** A gateway that serves "digits" from "m" on the left server, or "other" on the right one, and a client of its gRPC side. */
async function open(shares: readonly [number, number], changes: Partial<GatewaySettings> = {}) {
  const upstreams = [left, right].map(({ url, grpcAddress }, at) => ({
    ...{ name: 'ab'[at] as string, url, grpc: String(grpcAddress) },
  }));
  const targets = [
    { upstream: 'a', model: 'm', share: shares[0] },
    { upstream: 'b', model: 'other', share: shares[1] },
  ];
  const gateway = await startGateway({
    ...settingsFor([]),
    ...{ grpcPort: 0, upstreams, models: [{ name: 'digits', targets }], ...changes },
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return { gateway, client: clientOf(gateway) };
}

function clientOf({ grpcAddress }: RunningGateway): Client {
  const client = new inference.GRPCInferenceService(String(grpcAddress), credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

interface Answer {
  readonly error: ServiceError | null;
  // biome-ignore lint/suspicious/noExplicitAny: what an independent client gives.
  readonly value: any;
  readonly trailer: Metadata;
}

function call(client: Client, method: string, message: object, options: { deadline?: number } = {}): Promise<Answer> {
  return new Promise((resolve) => {
    let answer: Pick<Answer, 'error' | 'value'> | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
    const sent = (client as any)[method](
      message,
      new Metadata(),
      options,
      (error: ServiceError | null, value: unknown) => {
        answer = { error, value };
      },
    );
    sent.on('status', ({ metadata: trailer }: { metadata: Metadata }) => {
      resolve({ ...(answer as Pick<Answer, 'error' | 'value'>), trailer });
    });
  });
}

const inputs = ['a', 'b'].map((name) => ({
  ...{ name, datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [1, 2, 3] } },
}));

test('calls go to targets of either name by their shares, as REST has them, and bring back what servers say', async () => {
  const { gateway, client } = await open([1, 1]);
  const ways: string[] = [];
  for (let count = 0; count < 40; count++) {
    const { error, value, trailer } = await call(client, 'ModelInfer', { model_name: 'digits', id: 'x', inputs });
    expect(error).toBeNull();
    const [way] = trailer.get('dse-upstream').map(String);
    expect(value).toMatchObject({ model_name: way === 'a' ? 'm' : 'other', id: 'x' });
    expect(value.outputs[0].contents.fp32_contents).toEqual([2, 4, 6]);
    expect(String(trailer.get('server-timing')[0])).toMatch(/^decode;dur=.*queue;dur=.*compute;dur=/);
    ways.push(String(way));
  }
  // 20 of 40 are meant; six standard deviations are 19.
  expect(Math.abs(ways.filter((way) => way === 'a').length - 20)).toBeLessThan(19);
  const page = await (await fetch(`${gateway.url}/metrics`)).text();
  for (const [upstream, target] of [
    ['a', 'm'],
    ['b', 'other'],
  ]) {
    const labels = `model="digits",upstream="${upstream}",target="${target}",status="200"`;
    expect(page).toContain(`dse_gateway_requests_total{${labels}} ${ways.filter((way) => way === upstream).length}\n`);
  }
  expect(page).toContain('dse_gateway_request_seconds_count{model="digits"} 40\n');
});

test('metadata and readiness of a model come from its server, those of the whole from the gateway', async () => {
  const { client } = await open([1e9, 1e-9]);
  expect((await call(client, 'ModelMetadata', { name: 'digits' })).value).toMatchObject({ name: 'm', versions: ['1'] });
  expect((await call(client, 'ModelReady', { name: 'digits' })).value).toEqual({ ready: true });
  expect((await call(client, 'ServerLive', {})).value).toEqual({ live: true });
  expect((await call(client, 'ServerReady', {})).value).toEqual({ ready: true });
  expect((await call(client, 'ServerMetadata', {})).value).toMatchObject({ name: 'dse-gateway' });
  expect((await call(client, 'RepositoryIndex', {})).error).toMatchObject({ code: status.UNIMPLEMENTED });
});

test('errors of a server come back in its words, those of the gateway in its own', async () => {
  const { gateway, client } = await open([1e9, 1e-9]);
  const wrong = await call(client, 'ModelInfer', { model_name: 'digits', inputs: inputs.slice(0, 1) });
  expect(wrong.error).toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(wrong.error?.details).toContain('"b"');
  expect(wrong.trailer.get('dse-upstream')).toEqual(['a']);
  expect((await call(client, 'ModelInfer', { model_name: 'none', inputs })).error).toMatchObject({
    ...{ code: status.NOT_FOUND, details: 'this gateway has no model "none"' },
  });
  expect((await call(client, 'ModelInfer', { model_name: 'digits', model_version: '7', inputs })).error).toMatchObject({
    code: status.NOT_FOUND,
  });
  const page = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(page).toContain('dse_gateway_requests_total{model="digits",upstream="a",target="m",status="400"} 1\n');
  expect(page).toContain('dse_gateway_failures_total{model="",reason="404"} 1\n');
});

test('bytes that are no message are refused', async () => {
  const { client } = await open([1e9, 1e-9]);
  const path = '/inference.GRPCInferenceService/ModelInfer';
  const error = await new Promise<ServiceError | null>((resolve) => {
    const asBytes = (bytes: Buffer) => bytes;
    client.makeUnaryRequest(path, asBytes, asBytes, Buffer.from([0x0a, 0xff]), (failure) => resolve(failure));
  });
  expect(error).toMatchObject({
    ...{ code: status.INVALID_ARGUMENT, details: 'the request is no message of the protocol' },
  });
});

test('a deadline that is over ends a call before it is begun', async () => {
  const { client } = await open([1e9, 1e-9]);
  const late = await call(client, 'ModelInfer', { model_name: 'digits', inputs }, { deadline: Date.now() - 1 });
  expect(late.error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
});

test('a server that is gone is passed over, and where none is left the client is told of each why', async () => {
  const gone = await start('m');
  // Looks are so rare that only the call itself can find the server gone.
  const upstreams = [
    { name: 'a', url: gone.url, grpc: String(gone.grpcAddress) },
    { name: 'b', url: right.url, grpc: String(right.grpcAddress) },
  ];
  const { gateway, client } = await open([1e9, 1e-9], { upstreams, pollIntervalMs: 60_000 });
  expect((await call(client, 'ModelInfer', { model_name: 'digits', inputs })).trailer.get('dse-upstream')).toEqual([
    'a',
  ]);
  await gone[Symbol.asyncDispose]();
  await vi.waitFor(async () => {
    const { error, trailer } = await call(client, 'ModelInfer', { model_name: 'digits', inputs });
    expect({ error, ways: trailer.get('dse-upstream') }).toEqual({ error: null, ways: ['b'] });
  }, 20_000);
  expect(gateway.status().upstreams[0]).toMatchObject({ isUp: false });
  const alone = await open([1, 1], {
    ...{ upstreams: upstreams.slice(0, 1), pollIntervalMs: 60_000 },
    models: [{ name: 'digits', targets: [{ upstream: 'a', model: 'm', share: 1 }] }],
  });
  expect((await call(alone.client, 'ModelInfer', { model_name: 'digits', inputs })).error).toMatchObject({
    ...{ code: status.UNAVAILABLE },
    details: 'no server can be reached for the model "digits" (a: it refuses connections)',
  });
});

/** Sends one call to a gateway before a server that does with its streams as told and the left one. */
async function tryWith(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: { readonly timeoutMs?: number; readonly deadline?: number } = {},
) {
  let calls = 0;
  const fake = createServer();
  fake.on('session', (session) => session.on('error', () => {}));
  fake.on('stream', (stream, headers) => {
    calls++;
    stream.on('error', () => {}).resume();
    onStream(stream, headers);
  });
  fake.listen(0, '127.0.0.1');
  await once(fake, 'listening');
  onTestFinished(() => void fake.close());
  await using rest = await FakeUpstream.start(answering(200));
  const { timeoutMs, ...callOptions } = options;
  const { client, gateway } = await open([1e9, 1e-9], {
    upstreams: [
      { name: 'a', url: rest.url, grpc: `127.0.0.1:${(fake.address() as AddressInfo).port}` },
      { name: 'b', url: right.url, grpc: String(right.grpcAddress) },
    ],
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const answer = await call(client, 'ModelInfer', { model_name: 'digits', inputs }, callOptions);
  const page = await (await fetch(`${gateway.url}/metrics`)).text();
  return {
    calls,
    error: answer.error,
    ways: answer.trailer.get('dse-upstream'),
    failures: page.match(/^dse_gateway_failures_total\{.*$/gm) ?? [],
  };
}

const refusing = { 'grpc-status': String(status.UNAVAILABLE), 'grpc-message': 'too much to do' };
const head = { ':status': 200, 'content-type': 'application/grpc' };

test.each([
  ['at once', (stream: ServerHttp2Stream) => stream.respond({ ...head, ...refusing }, { endStream: true })],
  [
    'after a head',
    (stream: ServerHttp2Stream) => {
      stream.on('wantTrailers', () => stream.sendTrailers(refusing)).respond(head, { waitForTrailers: true });
      stream.end();
    },
  ],
])('a call that a server refuses %s goes on to another', async (_when, onStream) => {
  expect(await tryWith(onStream)).toMatchObject({ calls: 1, error: null, ways: ['b'], failures: [] });
});

test('a call whose connection breaks is told and never sent again', async () => {
  const { calls, error, failures } = await tryWith((stream) => {
    stream.on('end', () => stream.session?.destroy());
  });
  expect(calls).toBe(1);
  expect(error).toMatchObject({
    code: status.INTERNAL,
    details: 'the server "a" failed while it had the request, which is not sent again: it closed the connection',
  });
  expect(failures).toEqual(['dse_gateway_failures_total{model="digits",reason="502"} 1']);
});

test('a call that is not answered in time ends with DEADLINE_EXCEEDED and is not sent again', async () => {
  const { calls, error } = await tryWith(() => {}, { timeoutMs: 200 });
  expect(calls).toBe(1);
  expect(error).toMatchObject({
    ...{ code: status.DEADLINE_EXCEEDED, details: 'the server "a" did not answer in time' },
  });
});

test("a client's deadline goes on to the server, whose call ends with it", async () => {
  let told: string | undefined;
  let closed: Promise<unknown> = Promise.resolve();
  const { calls, error } = await tryWith(
    (stream, headers) => {
      told = String(headers['grpc-timeout']);
      closed = once(stream, 'close');
    },
    { deadline: Date.now() + 1_000 },
  );
  expect(calls).toBe(1);
  expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(told).toMatch(/^\d+m$/);
  expect(Number.parseInt(String(told), 10)).toBeLessThanOrEqual(1_000);
  await closed;
});
