import { once } from 'node:events';
import { connect, constants, createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { KserveError } from '../../../src/kserve/index.ts';
import { BufferPool } from '../../../src/server/buffer-pool.ts';
import { DirectCall, type DirectCallOptions } from '../../../src/server/grpc/direct-call.ts';
import { framed } from '../fuzz/grpc-call.ts';

const LIMIT = 100_000;

/** A server that answers every call directly, and what it told its log. */
async function start(answer: DirectCallOptions['answer'], timeoutMs?: number) {
  const faults: unknown[] = [];
  const server = createServer();
  const options = {
    messageLimitBytes: LIMIT,
    pool: new BufferPool(LIMIT),
    answer,
    onError: (e: unknown) => faults.push(e),
  };
  server.on('stream', (stream) => new DirectCall(stream, { timeoutMs }, options));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, faults };
}

function open(server: Http2Server) {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  return session;
}

/** Sends a body, whole or up to where it hangs, and tells of all that comes back. */
async function call(session: ReturnType<typeof open>, body: Buffer, { ends = true } = {}) {
  const stream = session.request({ ':method': 'POST', ':path': '/any' });
  let fields: IncomingHttpHeaders = {};
  const pieces: Buffer[] = [];
  stream.on('response', (head) => (fields = { ...fields, ...head }));
  stream.on('trailers', (trailer) => (fields = { ...fields, ...trailer }));
  stream.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
  if (ends) stream.end(body);
  else stream.write(body);
  await once(stream, 'end');
  stream.close(constants.NGHTTP2_CANCEL);
  return { fields, body: Buffer.concat(pieces) };
}

const echo: DirectCallOptions['answer'] = async ({ bytes }) => ({
  message: Buffer.from(bytes.toString().toUpperCase()),
  trailer: { 'server-timing': 'decode;dur=1' },
});

it('a message is answered with a message, a status and the trailer', async () => {
  const { server } = await start(echo);
  const { fields, body } = await call(open(server), framed(Buffer.from('hello')));
  expect(body).toEqual(framed(Buffer.from('HELLO')));
  expect(fields).toMatchObject({
    ':status': 200,
    'content-type': 'application/grpc+proto',
    'grpc-status': '0',
    'grpc-message': 'OK',
    'server-timing': 'decode;dur=1',
  });
});

it('a refusal is a status and a sentence, percent-encoded, and is no fault of the server', async () => {
  const { server, faults } = await start(() => Promise.reject(new KserveError(404, 'no model "ä"')));
  const { fields, body } = await call(open(server), framed(Buffer.from('x')));
  expect(fields).toMatchObject({
    'grpc-status': String(status.NOT_FOUND),
    'grpc-message': 'no%20model%20%22%C3%A4%22',
  });
  expect(body.length).toBe(0);
  expect(faults).toEqual([]);
});

it('a fault of the server is INTERNAL and goes to its log', async () => {
  const fault = new Error('broken');
  const { server, faults } = await start(() => Promise.reject(fault));
  const { fields } = await call(open(server), framed(Buffer.from('x')));
  expect(fields['grpc-status']).toBe(String(status.INTERNAL));
  expect(faults).toEqual([fault]);
});

it('a message past the limit is refused while it is still being sent, and the connection goes on', async () => {
  const { server } = await start(echo);
  const session = open(server);
  const { fields } = await call(session, framed(Buffer.alloc(LIMIT + 1)), { ends: false });
  expect(fields['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
  expect((await call(session, framed(Buffer.from('on')))).body).toEqual(framed(Buffer.from('ON')));
});

it('the deadline ends a call that is not all there, and one that waits for its answer', async () => {
  const { server } = await start(() => new Promise(() => {}), 20);
  const session = open(server);
  for (const ends of [false, true]) {
    const { fields } = await call(session, framed(Buffer.from('x')), { ends });
    expect(fields['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
  }
});

it('an answer to a call that its client has given up is dropped', async () => {
  let finish = () => {};
  let onStarted = () => {};
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const { server, faults } = await start(async ({ bytes }) => {
    if (bytes.toString() === 'wait') {
      onStarted();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    }
    return { message: Buffer.from('late'), trailer: {} };
  });
  const session = open(server);
  const stream = session.request({ ':method': 'POST', ':path': '/any' });
  stream.on('error', () => {}).end(framed(Buffer.from('wait')));
  await started;
  stream.close(constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
  finish();
  expect((await call(session, framed(Buffer.from('next')))).fields['grpc-status']).toBe('0');
  expect(faults).toEqual([]);
});
