import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../../src/gateway/index.ts';
import type { RunningGateway } from '../../src/gateway/types.ts';
import { decodeInferResponse, encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { startServer } from '../../src/server/index.ts';
import type { RunningApp } from '../../src/server/types.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';
import { answering, FakeUpstream, readAll, settingsFor } from './fake-upstream.ts';

const files = new TinyModels();
let left: RunningApp;
let right: RunningApp;

/** Two real servers: "both" is on each, "alone" on the right one only. */
beforeAll(async () => {
  const file = files.add();
  const start = (...names: string[]) => {
    const models = names.map((name) => ({ name, file, engine: plainSettings }));
    return startServer({ models, host: '127.0.0.1', port: 0 });
  };
  [left, right] = await Promise.all([start('both'), start('both', 'alone')]);
});
afterAll(async () => {
  await Promise.all([left[Symbol.asyncDispose](), right[Symbol.asyncDispose]()]);
  files[Symbol.dispose]();
});

/** In front of both servers, with all that they list. */
function open(changes: Parameters<typeof settingsFor>[1] = {}): Promise<RunningGateway> {
  const { models: _, ...settings } = settingsFor([left.url, right.url]);
  return startGateway({ ...settings, ...changes });
}

const a: NamedTensor = { name: 'a', type: 'float32', shape: [1, 3], data: Float32Array.of(1, 2, 3) };

async function infer(url: string, model: string, protocol: 'rest-json' | 'rest-binary' = 'rest-binary') {
  const { headers: all, body } = encodeInferRequest(protocol, [a, { ...a, name: 'b' }]);
  // Importing undici makes its dispatcher that of fetch, which then counts the bytes itself and wants no length beside its own.
  const { 'content-length': _, ...headers } = all;
  const response = await fetch(`${url}/v2/models/${model}/infer`, { method: 'POST', headers, body });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function get(url: string, path: string, init?: RequestInit) {
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, body: JSON.parse(await response.text()) as unknown };
}

describe('a gateway', () => {
  it.each(['rest-json', 'rest-binary'] as const)(
    'passes inference on over %s, and its answer back',
    async (protocol) => {
      await using gateway = await open();
      const { response, bytes } = await infer(gateway.url, 'alone', protocol);
      const { outputs } = decodeInferResponse(Object.fromEntries(response.headers), bytes);
      expect(outputs[0]?.data).toEqual(Float32Array.of(2, 4, 6));
      expect(response.headers.get('dse-upstream')).toBe('b');
      expect(response.headers.get('server-timing')).toMatch(/^decode;dur=.*queue;dur=.*compute;dur=/);
    },
  );

  it('leaves ids, parameters and the errors of servers as they are', async () => {
    await using gateway = await open();
    const post = (body: object) =>
      get(gateway.url, '/v2/models/both/versions/1/infer', { method: 'POST', body: JSON.stringify(body) });
    const inputs = ['a', 'b'].map((name) => ({ name, shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }));
    expect((await post({ id: 'seven', inputs })).body).toMatchObject({ id: 'seven', model_name: 'both' });
    expect(await post({ id: 'seven', inputs, parameters: { timeout: 'soon' } })).toEqual({
      status: 400,
      body: { error: 'the request has "soon" as its parameter "timeout", where a number of microseconds is expected' },
    });
  });

  it('shares requests as it is told, the same way for the same seed', async () => {
    const targets = [
      { upstream: 'a', model: 'both', share: 3 },
      { upstream: 'b', model: 'alone', share: 1 },
    ];
    const waysOf = async (seed: number) => {
      await using gateway = await open({ seed, models: [{ name: 'digits', targets }] });
      const ways: string[] = [];
      for (let count = 0; count < 80; count++) {
        // What is no inference does not count.
        if (count === 5) await get(gateway.url, '/v2/models/digits');
        ways.push((await infer(gateway.url, 'digits')).response.headers.get('dse-upstream') ?? '');
      }
      const page = await (await fetch(`${gateway.url}/metrics`)).text();
      for (const [index, { upstream, model }] of targets.entries()) {
        const answered = ways.filter((way) => way === upstream).length;
        const labels = `model="digits",upstream="${upstream}",target="${model}"`;
        expect(page).toContain(`dse_gateway_requests_total{${labels},status="200"} ${answered}\n`);
        expect(page).toContain(`dse_gateway_target_share{${labels}} ${[0.75, 0.25][index]}\n`);
      }
      return ways.join('');
    };
    const first = await waysOf(7);
    // 60 of 80 are meant; six standard deviations are 23.
    expect(Math.abs(first.replaceAll('b', '').length - 60)).toBeLessThan(23);
    expect(await waysOf(7)).toBe(first);
    expect(await waysOf(8)).not.toBe(first);
  });

  it('passes a classification on with what its query asks for', async () => {
    const asked: string[] = [];
    await using upstream = await FakeUpstream.start(async (request, response, self) => {
      asked.push(`${request.method} ${request.url}`);
      await answering(200)(request, response, self);
    });
    await using gateway = await startGateway(settingsFor([upstream.url]));
    const answer = await get(gateway.url, '/v2/models/m/versions/2/classify?top=3', { method: 'POST', body: 'png' });
    expect(answer).toEqual({ status: 200, body: { said: 200 } });
    expect(asked).toEqual(['POST /v2/models/m/versions/2/classify?top=3']);
    expect(upstream.bodies.map(String)).toEqual(['png']);
  });

  it('answers for all its servers what is asked of one', async () => {
    await using gateway = await open();
    expect(await get(gateway.url, '/v2')).toMatchObject({ status: 200, body: { name: 'dse-gateway' } });
    expect(await get(gateway.url, '/v2/health/live')).toEqual({ status: 200, body: { live: true } });
    expect(await get(gateway.url, '/v2/health/ready')).toEqual({ status: 200, body: { live: true, ready: true } });
    expect(await get(gateway.url, '/v2/models/alone/ready')).toEqual({
      status: 200,
      body: { name: 'alone', ready: true },
    });
    expect(await get(gateway.url, '/v2/models/both')).toMatchObject({ status: 200, body: { name: 'both' } });
    expect(await get(gateway.url, '/v2/models/none/infer', { method: 'POST', body: '{}' })).toEqual({
      status: 404,
      body: { error: 'this gateway has no model "none"' },
    });
    expect((await get(gateway.url, '/v3')).body).toEqual({ error: 'there is no GET "/v3" on this gateway' });
    const index = (body: string) => get(gateway.url, '/v2/repository/index', { method: 'POST', body });
    const ready = (name: string) => ({ name, version: '1', state: 'READY', reason: '' });
    expect((await index('')).body).toEqual([ready('alone'), ready('both')]);
    await get(right.url, '/v2/repository/models/alone/unload', { method: 'POST' });
    try {
      expect((await index('{"ready":true}')).body).toEqual([ready('both')]);
      expect((await index('{"ready":false}')).body).toEqual([
        { name: 'alone', version: '1', state: 'UNAVAILABLE', reason: 'b: it was unloaded on request' },
        ready('both'),
      ]);
      expect((await index('{"ready":1}')).status).toBe(400);
      // The server's own words.
      expect(await get(gateway.url, '/v2/models/alone/infer', { method: 'POST', body: '{}' })).toMatchObject({
        status: 503,
      });
    } finally {
      await get(right.url, '/v2/repository/models/alone/load', { method: 'POST' });
    }
  });

  it('shows on /metrics all that the dashboard draws of it', async () => {
    await using gateway = await open();
    await infer(gateway.url, 'both');
    const page = await (await fetch(`${gateway.url}/metrics`)).text();
    const dashboard = readFileSync(packageFile('docs/grafana-dashboard.json'), 'utf8');
    const names = new Set(dashboard.match(/\bdse_gateway_[a-z_]+?(?=(?:_bucket)?[{[])/g));
    expect(names.size).toBe(10);
    for (const name of names) expect(page).toContain(`# HELP ${name} `);
    expect(page).toContain('dse_gateway_request_seconds_count{model="both"} 1\n');
    expect(page).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  it('answers what it has when it is stopped, and takes nothing more', async () => {
    let answer = () => {};
    await using slow = await FakeUpstream.start(async (request, response) => {
      await readAll(request);
      answer = () => response.end('done');
    });
    const gateway = await startGateway(settingsFor([slow.url]));
    const client = httpRequest(`${gateway.url}/v2/models/m/infer`, { method: 'POST' });
    const answered = once(client, 'response');
    client.end('{}');
    while (slow.requests === 0) await new Promise(setImmediate);
    const stopped = gateway[Symbol.asyncDispose]();
    await expect(fetch(`${gateway.url}/v2`)).rejects.toThrow();
    answer();
    const [response] = await answered;
    expect((await readAll(response)).toString()).toBe('done');
    await stopped;
  });

  it('takes no port that is taken', async () => {
    await using other = await FakeUpstream.start(answering(200));
    const port = Number(new URL(other.url).port);
    await expect(open({ port })).rejects.toThrow(`127.0.0.1:${port}  port ${port} is taken`);
  });
});
