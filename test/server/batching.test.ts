import { afterAll, describe, expect, it } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { type RunningApp, startServer } from '../../src/server/index.ts';
import type { ServingSettings } from '../../src/server/types.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';

const files = new TinyModels();
afterAll(() => files[Symbol.dispose]());

function start(file: string, serving: Omit<ServingSettings, 'engine'>): Promise<RunningApp> {
  return startServer({
    models: [{ name: 'tiny', file, engine: plainSettings, ...serving }],
    host: '127.0.0.1',
    port: 0,
  });
}

function tensor(name: string, rows: number, value: number): NamedTensor {
  return { name, type: 'float32', shape: [rows, 3], data: new Float32Array(rows * 3).fill(value) };
}

async function send(server: RunningApp, tensors: readonly NamedTensor[]) {
  const { headers, body } = encodeInferRequest('rest-binary', tensors);
  const response = await fetch(`${server.url}/v2/models/tiny/infer`, { method: 'POST', headers, body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { response, bytes };
}

describe('a model served with dynamic batching and two instances', () => {
  it('says so, and answers every request with its own', async () => {
    const batching = { maxBatch: 8, maxQueueDelayMs: 2, preferredBatches: [4] };
    await using server = await start(files.add(), { batching, instances: 2, maxQueue: 500 });
    const metadata = await (await fetch(`${server.url}/v2/models/tiny`)).json();
    expect(metadata).toMatchObject({
      parameters: { instances: 2, max_batch: 8, max_queue_delay_ms: 2, preferred_batches: [4], max_queue: 500 },
    });
    const sums = await Promise.all(
      Array.from({ length: 120 }, async (_, i) => {
        const rows = 1 + (i % 3);
        const { response, bytes } = await send(server, [tensor('a', rows, i), tensor('b', rows, 1000)]);
        return decodeInferResponse(Object.fromEntries(response.headers), bytes).outputs[0];
      }),
    );
    for (const [i, sum] of sums.entries()) {
      expect(sum).toEqual({ ...tensor('sum', 1 + (i % 3), i + 1000) });
    }
  });

  it('is not loaded where its requests cannot be joined', async () => {
    const batching = { maxBatch: 8, maxQueueDelayMs: 0 };
    await expect(start(files.slow(), { batching })).rejects.toThrow(
      /requests to "tiny" cannot be run together: "mean" of shape \[1, 1\] has no open first dimension/,
    );
  });
});

describe('a request’s timeout', () => {
  it.each([
    ['soon', 400, 'the request has "soon" as its parameter "timeout", where a number of microseconds is expected'],
    [-1, 400, 'the request has -1 as its parameter "timeout", where a number of microseconds is expected'],
    [0.001, 504, 'the time that the request allowed was over before it could be started on'],
  ])('of %j is answered with %i', async (timeout, status, error) => {
    await using server = await start(files.add(), {});
    const inputs = ['a', 'b'].map((name) => ({ name, shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }));
    const body = JSON.stringify({ parameters: { timeout }, inputs });
    const response = await fetch(`${server.url}/v2/models/tiny/infer`, { method: 'POST', body });
    expect({ status: response.status, json: await response.json() }).toEqual({ status, json: { error } });
  });
});

it('a request past the limit of waiting ones is told when to come again', async () => {
  await using server = await start(files.slow(), { maxQueue: 1 });
  const a: NamedTensor = { name: 'a', type: 'float32', shape: [600, 600], data: new Float32Array(360_000) };
  const answers = await Promise.all(Array.from({ length: 12 }, () => send(server, [a])));
  const statuses = answers.map(({ response }) => response.status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const refused = answers[statuses.indexOf(429)];
  expect(Number(refused?.response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(JSON.parse(Buffer.from(refused?.bytes ?? []).toString())).toEqual({
    error: '1 requests wait for this model already',
  });
});
