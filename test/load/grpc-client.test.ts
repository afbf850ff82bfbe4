import { once } from 'node:events';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { GrpcClient } from '../../src/load/generator/grpc-client.ts';
import { grpcWireOf } from '../../src/load/generator/grpc-target.ts';
import type { Ending } from '../../src/load/generator/load-client.ts';
import { OUTCOME } from '../../src/load/types.ts';

/** What a server does with a call, once its request is there whole. */
type Behaviour = (stream: ServerHttp2Stream, request: Buffer, headers: Readonly<Record<string, unknown>>) => void;

interface TestServer {
  readonly address: string;
  readonly sessions: ServerHttp2Session[];
}

async function serve(behave: Behaviour): Promise<TestServer> {
  const server: Http2Server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session.on('error', () => {})));
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => behave(stream, Buffer.concat(parts), headers));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sessions };
}

/** A client, and how each of its calls ended. */
function open(address: string) {
  const endings: Ending[] = [];
  let onEnding: ((how: Ending) => void) | undefined;
  const client = new GrpcClient(address, { sentBytes: 0, receivedBytes: 0, activity: 0 }, (_client, _sent, how) => {
    endings.push(how);
    onEnding?.(how);
  });
  onTestFinished(() => client.close());
  const call = (bytes = Buffer.from('request')) =>
    new Promise<Ending>((resolve) => {
      onEnding = resolve;
      client.release({ bytes, labels: undefined }, 0, false);
    });
  return { client, call, endings };
}

/** Answers with a message and, behind it, a status. */
function answer(stream: ServerHttp2Stream, parts: readonly Uint8Array[], trailer: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailer));
  for (const part of parts) stream.write(part);
  stream.end();
}

/** Answers with a status alone. */
function refuse(stream: ServerHttp2Stream, code: number): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code }, { endStream: true });
}

test('a call carries the bytes of its request, and ends with its answer and the times its trailer tells', async () => {
  const seen: unknown[] = [];
  const { address } = await serve((stream, request, headers) => {
    seen.push(request.toString(), headers[':path'], headers['content-type'], headers.te);
    answer(stream, [Buffer.from('an '), Buffer.from('answer')], {
      'grpc-status': '0',
      'server-timing': 'compute;dur=1',
    });
  });
  const { call } = open(address);
  const { outcome, head, body } = await call();
  expect(seen).toEqual(['request', '/inference.GRPCInferenceService/ModelInfer', 'application/grpc', 'trailers']);
  expect(outcome).toBe(OUTCOME.ok);
  expect(head).toEqual({ statusCode: 200, headers: ['server-timing', 'compute;dur=1'] });
  expect(Buffer.concat(body).toString()).toBe('an answer');
});

test('a status is put into the terms of HTTP, behind a message or alone', async () => {
  const { address } = await serve((stream, request) => {
    const code = Number(request.toString());
    if (code === 13) answer(stream, [Buffer.from('half')], { 'grpc-status': '13' });
    else refuse(stream, code);
  });
  const { call } = open(address);
  const codes = [8, 3, 5, 14, 4, 13];
  const statuses: unknown[] = [];
  for (const code of codes) statuses.push((await call(Buffer.from(String(code)))).head?.statusCode);
  expect(statuses).toEqual([429, 400, 404, 503, 504, 500]);
});

test('what answers with HTTP alone is told by its status, and a reply without a status of gRPC is malformed', async () => {
  const { address } = await serve((stream, request) => {
    stream.respond({ ':status': request.toString() === 'proxy' ? 502 : 200 });
    stream.end('no gRPC');
  });
  const { call } = open(address);
  expect(await call(Buffer.from('proxy'))).toMatchObject({ outcome: OUTCOME.ok, head: { statusCode: 502 } });
  expect(await call(Buffer.from('web'))).toMatchObject({ outcome: OUTCOME.malformed, head: undefined });
});

test('a status that is no number is malformed', async () => {
  const { address } = await serve((stream) => answer(stream, [], { 'grpc-status': 'fine' }));
  const { call } = open(address);
  expect(await call()).toMatchObject({ outcome: OUTCOME.malformed });
});

test('a call that the server breaks off is reset, and the next one is answered over the same connection', async () => {
  let calls = 0;
  const { address, sessions } = await serve((stream) => {
    if (calls++ === 0) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else answer(stream, [], { 'grpc-status': '0' });
  });
  const { call } = open(address);
  expect((await call()).outcome).toBe(OUTCOME.reset);
  expect((await call()).outcome).toBe(OUTCOME.ok);
  expect(sessions).toHaveLength(1);
});

test.each(['breaks', 'is closed by the server'])(
  'where the connection %s, the next call opens another',
  async (how) => {
    let calls = 0;
    const { address, sessions } = await serve((stream) => {
      if (calls++ > 0 || how !== 'breaks') answer(stream, [], { 'grpc-status': '0' });
      if (calls === 1 && how === 'breaks') stream.session?.destroy();
      else if (calls === 1) stream.session?.close();
    });
    const { call } = open(address);
    expect((await call()).outcome).toBe(how === 'breaks' ? OUTCOME.reset : OUTCOME.ok);
    if (how !== 'breaks') await expect.poll(() => sessions[0]?.closed).toBe(true);
    await expect.poll(async () => (await call()).outcome).toBe(OUTCOME.ok);
    expect(sessions).toHaveLength(2);
  },
);

test('a call to a port where nobody listens is refused', async () => {
  const { address } = await serve(() => {});
  const [host] = address.split(':');
  const { call, client } = open(`${host}:1`);
  expect((await call()).outcome).toBe(OUTCOME.refused);
  expect((await call()).outcome).toBe(OUTCOME.refused);
  expect(client.isConnecting).toBe(false);
});

test('a call that is given up ends once, as it was told, and is cancelled at the server', async () => {
  const calls: ServerHttp2Stream[] = [];
  const { address } = await serve((stream) => calls.push(stream));
  const { client, call, endings } = open(address);
  const ended = call();
  await expect.poll(() => calls).toHaveLength(1);
  client.abandon(OUTCOME.timeout, 42);
  expect(await ended).toEqual({ outcome: OUTCOME.timeout, doneNs: 42, head: undefined, body: [] });
  await expect.poll(() => calls[0]?.rstCode).toBe(constants.NGHTTP2_CANCEL);
  expect(client.inFlight).toBeUndefined();
  expect(endings).toHaveLength(1);
});

test('messages larger than every window of the connection pass both ways', async () => {
  const large = Buffer.alloc(9 * 2 ** 20, 7);
  const { address } = await serve((stream, request) => answer(stream, [request], { 'grpc-status': '0' }));
  const { call } = open(address);
  const { body } = await call(large);
  expect(Buffer.concat(body).equals(large)).toBe(true);
});

test('an answer that comes before the request was read whole is the answer', async () => {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    refuse(stream, 8);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { call } = open(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect((await call(Buffer.alloc(2 ** 20))).head?.statusCode).toBe(429);
});

test('a message goes behind its prefix, and an answer is one whole message that is not compressed', async () => {
  const wire = await grpcWireOf({ grpcAddress: '127.0.0.1:1', modelName: 'm', url: '' } as Parameters<
    typeof grpcWireOf
  >[0]);
  const bytes = wire.encode([{ name: 'x', type: 'float32', shape: [1], data: new Float32Array([1]) }]);
  expect(bytes.readUInt8()).toBe(0);
  expect(bytes.readUInt32BE(1)).toBe(bytes.byteLength - 5);
  expect(wire.decode([], Buffer.from([0, 0, 0, 0, 0]))).toEqual([]);
  for (const wrong of [[], [0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]) {
    expect(() => wire.decode([], Buffer.from(wrong))).toThrow('not one uncompressed message');
  }
});
