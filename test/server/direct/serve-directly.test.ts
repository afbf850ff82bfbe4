import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { BufferPool } from '../../../src/server/buffer-pool.ts';
import { serveDirectly } from '../../../src/server/direct/index.ts';

const BODY_LIMIT = 1e6;

/** A server whose direct side answers `/direct` with what it got, and whose Node side says of everything else that it had it. */
async function start(changes: { requestTimeoutMs?: number; answer?: (body: string) => Promise<string> } = {}) {
  const server = createServer(async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += (chunk as Buffer).length;
    response.end(`node ${request.method} ${request.url} ${length}`);
  });
  let taken = 0;
  const { answer = async (body: string) => `direct ${body.length} ${body.slice(0, 8)}` } = changes;
  const close = serveDirectly(server, {
    pool: new BufferPool(BODY_LIMIT),
    bodyLimitBytes: BODY_LIMIT,
    requestTimeoutMs: changes.requestTimeoutMs ?? 10_000,
    takes: ({ target }) => {
      taken++;
      return target === '/direct';
    },
    answer: async (_head, { bytes }) => {
      const body = Buffer.from(await answer(Buffer.from(bytes).toString()));
      return { status: 200, headers: { 'content-length': String(body.length) }, body };
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, close, headsRead: () => taken };
}

function open(server: Server): { socket: Socket; received: (text: string) => Promise<string> } {
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const received = async (wanted: string) => {
    while (!text.includes(wanted)) await Promise.race([once(socket, 'data'), once(socket, 'end').then(ended)]);
    return text;
    function ended() {
      if (!text.includes(wanted)) throw new Error(`the connection ended after ${JSON.stringify(text)}`);
    }
  };
  return { socket, received };
}

const post = (body: string, path = '/direct', fields = '') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;

test('requests on one connection are answered in turn, however their bytes are cut', async () => {
  const { server } = await start();
  const { socket, received } = open(server);
  const bytes = post('first') + post('second'.repeat(20_000)) + post('third');
  for (let at = 0, size = 1; at < bytes.length; at += size, size *= 2) {
    socket.write(bytes.slice(at, at + size));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await received('direct 5 third');
  expect(text.indexOf('direct 5 first')).toBeLessThan(text.indexOf('direct 120000 secondse'));
  expect(text).not.toContain('node');
});

test('what is not taken goes to Node with every byte that came, and stays there', async () => {
  const { server } = await start();
  const { socket, received } = open(server);
  socket.write(post('first'));
  await received('direct 5 first');
  socket.write(post('other', '/other') + post('again'));
  const text = await received('node POST /direct 5');
  expect(text).toContain('node POST /other 5');
});

test("a chunked body, an unread head and a body past the limit are Node's too", async () => {
  const { server } = await start();
  const chunked = open(server);
  chunked.socket.write('POST /direct HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  await chunked.received('node POST /direct 3');
  const large = open(server);
  large.socket.write(post('x'.repeat(BODY_LIMIT + 1)));
  await large.received(`node POST /direct ${BODY_LIMIT + 1}`);
  const broken = open(server);
  broken.socket.write('no request at all\r\n\r\n');
  await broken.received('400 Bad Request');
});

test('a head that comes too slowly goes to Node, a body that does is answered with 408', async () => {
  const { server } = await start({ requestTimeoutMs: 50 });
  const slowHead = open(server);
  slowHead.socket.write('GET /late HTTP/1.1\r\nHost:');
  await new Promise((resolve) => setTimeout(resolve, 200));
  slowHead.socket.write(' a\r\n\r\n');
  await slowHead.received('node GET /late 0');
  const slowBody = open(server);
  slowBody.socket.write(post('abc').slice(0, -1));
  expect(await slowBody.received('}')).toMatch(/408 Request Timeout[\s\S]*"the request took too long to arrive"/);
});

test('a body that ends early is answered with 400, a client that has said all still gets its answer', async () => {
  const { server } = await start();
  const early = open(server);
  early.socket.end(post('abc').slice(0, -1));
  expect(await early.received('}')).toMatch(/400 Bad Request[\s\S]*"the request ended before its body was complete"/);
  const last = open(server);
  last.socket.end(post('last'));
  const hasEnded = once(last.socket, 'end');
  await last.received('direct 4 last');
  await hasEnded;
});

test('closing ends idle connections at once, and the others after their answer or when their time is up', async () => {
  let answer = (_text: string) => {};
  const { server, close, headsRead } = await start({
    answer: (body) => (body === 'quick' ? Promise.resolve('quick') : new Promise((resolve) => (answer = resolve))),
  });
  const idle = open(server);
  idle.socket.write(post('quick'));
  await idle.received('quick');
  const busy = open(server);
  busy.socket.write(post('busy'));
  const stuck = open(server);
  stuck.socket.write(post('abc').slice(0, -1));
  while (headsRead() < 3) await new Promise((resolve) => setImmediate(resolve));
  const isClosed = new Promise((resolve) => server.close(resolve));
  const ends = [idle, busy, stuck].map(({ socket }) => once(socket, 'close'));
  for (const { socket } of [idle, busy, stuck]) socket.on('end', () => socket.end());
  close(200);
  await ends[0];
  answer('answered');
  expect(await busy.received('answered')).toContain('connection: close');
  await Promise.all(ends);
  await isClosed;
});

test('a client that closes its half behind several requests gets the answers to all', async () => {
  const { server } = await start();
  const { socket, received } = open(server);
  socket.end(post('first') + post('second') + post('third'));
  const text = await received('direct 5 third');
  expect(text).toContain('direct 5 first');
  expect(text).toContain('direct 6 second');
});

test('a client that closes its half within a head is told so', async () => {
  const { server } = await start();
  const { socket, received } = open(server);
  socket.end('POST /direct HTTP/1.1\r\nHos');
  expect(await received('}')).toMatch(/^HTTP\/1.1 400 [\s\S]*"the request ended before its head was complete"/);
});

test('a head is read once while the client repeats it, and anew where a byte of it differs', async () => {
  const { server, headsRead } = await start();
  const { socket, received } = open(server);
  socket.write(post('one') + post('two'));
  await received('direct 3 two');
  expect(headsRead()).toBe(1);
  socket.write(post('four'));
  await received('direct 4 four');
  expect(headsRead()).toBe(2);
  socket.write(post('five', '/dirext'));
  await received('node POST /dirext 4');
  expect(headsRead()).toBe(3);
});

test('an answer is whole however long it is', async () => {
  const { server } = await start({ answer: async (body) => 'a'.repeat(Number(body)) });
  for (const length of [0, 1, 65_536, 65_537, 1_000_000]) {
    const { socket, received } = open(server);
    socket.end(post(String(length)));
    await once(socket, 'end');
    const text = await received('\r\n\r\n');
    expect(text).toContain(`content-length: ${length}\r\n`);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('a'.repeat(length));
  }
});
