import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { startGateway } from '../../src/gateway/index.ts';
import type { GatewaySettings } from '../../src/gateway/types.ts';
import { answering, FakeUpstream, readAll, settingsFor } from './fake-upstream.ts';

/** Read whole before it is sent on. */
const SMALL = Buffer.alloc(300_000, 'tensor');
/** Sent on as it comes. */
const LARGE = Buffer.alloc(1_500_000, 'tensor');
const SIZES = [
  ['small', SMALL],
  ['large', LARGE],
] as const;

function send(url: string, body: Buffer<ArrayBuffer> = SMALL): Promise<Response> {
  return fetch(`${url}/v2/models/m/infer`, { method: 'POST', body });
}

async function metric(url: string, line: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(
    page
      .split('\n')
      .find((text) => text.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );
}

/** Sends one request to a gateway before the server told of and one that always answers 200. */
async function tryWith(
  answer: (request: IncomingMessage, response: ServerResponse, upstream: FakeUpstream) => unknown,
  { body, ...changes }: Partial<GatewaySettings> & { readonly body?: Buffer<ArrayBuffer> } = {},
) {
  await using first = await FakeUpstream.start(answer);
  await using second = await FakeUpstream.start(answering(200));
  await using gateway = await startGateway(settingsFor([first.url, second.url], changes));
  const response = await send(gateway.url, body);
  const text = await response.text().catch(() => 'broken off');
  return {
    ...{ status: response.status, text, headers: response.headers },
    reached: [first.requests, second.requests],
    bodies: second.bodies,
    retries: await metric(gateway.url, 'dse_gateway_retries_total{model="m",upstream="a"}'),
    failures: (await (await fetch(`${gateway.url}/metrics`)).text()).match(/^dse_gateway_failures_total\{.*$/gm) ?? [],
  };
}

test.each(SIZES)('a 503 goes on to another server, with the same bytes of a %s body', async (_size, body) => {
  const { status, reached, retries, headers, bodies } = await tryWith(answering(503), { body });
  expect({ status, reached, retries }).toEqual({ status: 200, reached: [1, 1], retries: 1 });
  expect(headers.get('dse-upstream')).toBe('b');
  expect(bodies[0]?.equals(body)).toBe(true);
});

test.each(SIZES)('a 503 that comes before a %s body was sent goes on too, with the whole body', async (_size, body) => {
  const early = (_request: IncomingMessage, response: ServerResponse) => {
    // Without closing the connection: bytes that a server has not read when it closes would reset it, and the client might never see the answer.
    response.writeHead(503).end('{}');
  };
  const { status, bodies } = await tryWith(early, { body });
  expect(status).toBe(200);
  expect(bodies[0]?.equals(body)).toBe(true);
});

test('any other answer is the answer', async () => {
  for (const status of [200, 400, 429, 500, 502, 504]) {
    const outcome = await tryWith(answering(status, { 'retry-after': '7' }));
    expect(outcome.text).toBe(`{"said":${status}}`);
    expect(outcome.headers.get('retry-after')).toBe('7');
    expect({ status: outcome.status, reached: outcome.reached }).toEqual({ status, reached: [1, 0] });
  }
});

test.each(SIZES)(
  'a connection that breaks once a %s body was written is told and never tried again',
  async (_size, body) => {
    const resetting = async (request: IncomingMessage, response: ServerResponse) => {
      await readAll(request);
      response.socket?.resetAndDestroy();
    };
    const { status, text, reached, failures } = await tryWith(resetting, { body });
    expect({ status, reached }).toEqual({ status: 502, reached: [1, 0] });
    expect(text).toBe(
      '{"error":"the server \\"a\\" failed while it had the request, which is not sent again: it closed the connection"}',
    );
    expect(failures).toEqual(['dse_gateway_failures_total{model="m",reason="502"} 1']);
  },
);

test.each(SIZES)('nor is one that breaks in the middle of a %s body', async (_size, body) => {
  const resetting = (request: IncomingMessage, response: ServerResponse) => {
    request.once('data', () => response.socket?.resetAndDestroy());
  };
  const { status, reached } = await tryWith(resetting, { body });
  expect({ status, reached }).toEqual({ status: 502, reached: [1, 0] });
});

test('an answer that does not come in time is a 504 and not waited for elsewhere', async () => {
  const { status, text, reached } = await tryWith((request) => request.resume(), { timeoutMs: 200 });
  expect({ status, reached }).toEqual({ status: 504, reached: [1, 0] });
  expect(text).toBe('{"error":"the server \\"a\\" did not answer in time"}');
});

/** Answers with a head that announces so many bytes, then some of them, then nothing more. */
function breakingOff([lengthBytes, sentBytes]: readonly [number | undefined, number]) {
  return async (request: IncomingMessage, response: ServerResponse) => {
    await readAll(request);
    response.writeHead(200, lengthBytes === undefined ? {} : { 'content-length': lengthBytes });
    response.write(Buffer.alloc(sentBytes, 'x'), () => response.socket?.destroy());
  };
}

test.each([
  ['large one of known length', SMALL, [3_000_000, 2_000_000]],
  ['large one in chunks', SMALL, [undefined, 2_000_000]],
  ['small one to a large body', LARGE, [100, 10]],
] as const)(
  'an answer that breaks off when some of it went out, a %s, breaks off for the client',
  async (_which, body, bytes) => {
    const { status, text, reached, failures } = await tryWith(breakingOff(bytes), { body });
    expect({ status, text, reached }).toEqual({ status: 200, text: 'broken off', reached: [1, 0] });
    expect(failures).toEqual(['dse_gateway_failures_total{model="m",reason="broken"} 1']);
  },
);

test('an answer that breaks off before any of it went out is told, without what came of it', async () => {
  const { status, text, reached } = await tryWith(breakingOff([100, 10]));
  expect({ status, reached }).toEqual({ status: 502, reached: [1, 0] });
  expect(text).toBe(
    '{"error":"the server \\"a\\" failed while it had the request, which is not sent again: it closed the connection"}',
  );
});

test.each([
  ['of known length', true],
  ['in chunks', false],
])('a large answer %s goes through whole, and its connection serves the next request', async (_which, isAnnounced) => {
  const answer = Buffer.alloc(5_000_000, 'answer');
  await using first = await FakeUpstream.start(async (request, response) => {
    await readAll(request);
    response.writeHead(200, {
      'set-cookie': ['a=1', 'b=2'],
      ...(isAnnounced && { 'content-length': answer.byteLength }),
    });
    response.write(answer.subarray(0, 2_000_000));
    response.end(answer.subarray(2_000_000));
  });
  await using gateway = await startGateway(settingsFor([first.url]));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (const _time of [1, 2]) {
    const client = httpRequest(`${gateway.url}/v2/models/m/infer`, {
      ...{ method: 'POST', agent, headers: { 'content-length': SMALL.byteLength } },
    });
    const answered = once(client, 'response') as Promise<[IncomingMessage]>;
    client.on('error', () => {}).end(SMALL);
    const [response] = await answered;
    ports.add(client.socket?.localPort);
    expect(response.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'dse-upstream': 'a' });
    expect(response.headersDistinct.date).toHaveLength(1);
    expect((await readAll(response)).equals(answer)).toBe(true);
  }
  expect(ports.size).toBe(1);
  agent.destroy();
});

test('where all servers refuse, the client has the words of the last', async () => {
  await using first = await FakeUpstream.start(answering(503));
  await using second = await FakeUpstream.start(answering(503, { 'retry-after': '9' }));
  await using gateway = await startGateway(settingsFor([first.url, second.url]));
  const response = await send(gateway.url);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('9');
  expect(await response.text()).toBe('{"said":503}');
  expect([first.requests, second.requests]).toEqual([1, 1]);
});

test('a server that is gone is left out at once and comes back when it is ready', async () => {
  await using first = await FakeUpstream.start(answering(200));
  await using second = await FakeUpstream.start(answering(200));
  const told: string[] = [];
  // Looks are so rare that only the request itself can find the server gone.
  const settings = settingsFor([first.url, second.url], { pollIntervalMs: 1_500 });
  await using gateway = await startGateway(settings, { onChange: (sentence) => told.push(sentence) });
  await first.close();
  expect((await send(gateway.url)).headers.get('dse-upstream')).toBe('b');
  expect(told.at(-1)).toBe(`a (${first.url}) is down: it refuses connections`);
  expect(await metric(gateway.url, 'dse_gateway_upstream_up{upstream="a"}')).toBe(0);
  expect(await metric(gateway.url, 'dse_gateway_upstream_downs_total{upstream="a"}')).toBe(1);
  await first.listen();
  await vi.waitFor(() => expect(told.at(-1)).toBe(`a (${first.url}) is up`), 20_000);
  expect((await send(gateway.url)).headers.get('dse-upstream')).toBe('a');
});

test('a model that is not ready gets nothing while another server has it ready', async () => {
  await using first = await FakeUpstream.start(answering(200));
  await using second = await FakeUpstream.start(answering(200));
  first.isReady = false;
  await using gateway = await startGateway(settingsFor([first.url, second.url]));
  expect((await send(gateway.url)).headers.get('dse-upstream')).toBe('b');
  expect(first.requests).toBe(0);
  second.isReady = false;
  await vi.waitFor(() => expect(gateway.status().models[0]?.targets[1]?.state).toBe('not-ready'), 20_000);
  // None is: a server's own word, or a model it loads for the request, is worth more than the gateway's refusal.
  expect((await send(gateway.url)).headers.get('dse-upstream')).toBe('a');
});

test('where no server answers, the client is told of each why', async () => {
  const first = await FakeUpstream.start(answering(200));
  await first.close();
  await using gateway = await startGateway(settingsFor([first.url]));
  const response = await send(gateway.url);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.text()).toBe(
    '{"error":"no server can be reached for the model \\"m\\" (a: it refuses connections)"}',
  );
});

test.each(SIZES)('a client that goes away takes its request with a %s body with it', async (_size, body) => {
  let isCancelled = false;
  await using first = await FakeUpstream.start((request, response) => {
    request.resume();
    response.on('close', () => {
      isCancelled = !response.writableFinished;
    });
  });
  await using gateway = await startGateway(settingsFor([first.url]));
  const headers = { 'content-length': body.byteLength };
  const client = httpRequest(`${gateway.url}/v2/models/m/infer`, { method: 'POST', headers });
  client.on('error', () => {}).end(body);
  await vi.waitFor(() => expect(first.requests).toBe(1), 20_000);
  client.destroy();
  await vi.waitFor(() => expect(isCancelled).toBe(true), 20_000);
  expect(await metric(gateway.url, 'dse_gateway_failures_total{model="m",reason="client-gone"}')).toBe(1);
  expect(await metric(gateway.url, 'dse_gateway_in_flight{upstream="a"}')).toBe(0);
});

test('large bodies go through as they come, and past the limit they do not', async () => {
  let seenBytes = 0;
  await using first = await FakeUpstream.start((request, response) => {
    request.on('data', (chunk: Buffer) => {
      seenBytes += chunk.byteLength;
    });
    request.on('end', () => response.end(String(seenBytes)));
  });
  await using gateway = await startGateway(settingsFor([first.url], { bodyLimitBytes: 2_000_000 }));
  const open = (headers: Readonly<Record<string, string>>) => {
    const client = httpRequest(`${gateway.url}/v2/models/m/infer`, { method: 'POST', headers });
    const answered = once(client, 'response') as Promise<[IncomingMessage]>;
    return { client, answered };
  };
  const half = open({ 'content-length': String(LARGE.byteLength) });
  half.client.write(LARGE.subarray(0, 100_000));
  await vi.waitFor(() => expect(seenBytes).toBe(100_000), 20_000);
  half.client.end(LARGE.subarray(100_000));
  expect((await readAll((await half.answered)[0])).toString()).toBe('1500000');

  const announced = open({ 'content-length': '2000001' });
  announced.client.write('{');
  const [refusal] = await announced.answered;
  expect(refusal.statusCode).toBe(413);
  expect((await readAll(refusal)).toString()).toBe(
    '{"error":"the request body is larger than this gateway\'s limit of 2000000 bytes"}',
  );
  announced.client.on('error', () => {}).destroy();

  const chunked = open({ 'transfer-encoding': 'chunked' });
  chunked.client.on('error', () => {}).write(LARGE);
  chunked.client.write(LARGE);
  expect((await chunked.answered)[0].statusCode).toBe(413);
  chunked.client.destroy();
});
