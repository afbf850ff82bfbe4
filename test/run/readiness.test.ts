import { afterAll, expect, test } from 'vitest';
import { encodeInferRequest } from '../../src/kserve/index.ts';
import { checkModelSettings, checkServerSettings } from '../../src/run/readiness.ts';
import { startServer } from '../../src/server/index.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';

const files = new TinyModels();
afterAll(() => files[Symbol.dispose]());

const signal = AbortSignal.timeout(20_000);
const inputs = ['a', 'b'].map(
  (name) => ({ name, type: 'float32', shape: [1, 3], data: Float32Array.of(1, 2, 3) }) as const,
);

test('every option of serving is read back from the server, and one that differs is told', async () => {
  const asked = {
    ...{ name: 'm', file: files.add(), engine: plainSettings, instances: 2, maxQueue: 7, deadlineMs: 50 },
    ...{ batching: { maxBatch: 4, maxQueueDelayMs: 1, preferredBatches: [2, 3] }, cache: { entries: 5 } },
  };
  const settings: ServerSettings = {
    ...{ models: [asked], host: '127.0.0.1', port: 0, maxLoaded: 1, bodyLimitBytes: 1e6 },
  };
  await using server = await startServer(settings);
  await checkModelSettings(asked, server.url, signal);
  await checkServerSettings(settings, server.url, signal);
  await expect(checkModelSettings({ ...asked, deadlineMs: 60 }, server.url, signal)).rejects.toThrow(
    'the server does not serve as it was told: asked for deadline_ms 60, but it reads back 50',
  );
  const otherwise = { ...settings, maxLoaded: 2, bodyLimitBytes: 2e6 };
  await expect(checkServerSettings(otherwise, server.url, signal)).rejects.toThrow(
    'asked for max_loaded 2, but it reads back 1; asked for body_limit_bytes 2000000, but it reads back 1000000',
  );
});

test('a deadline holds for requests that have none of their own, and a body limit for all', async () => {
  const model = { name: 'm', file: files.add(), engine: plainSettings, deadlineMs: 1e-6 };
  await using server = await startServer({ models: [model], host: '127.0.0.1', port: 0, bodyLimitBytes: 300 });
  const { headers, body } = encodeInferRequest('rest-json', inputs);
  const infer = async (bytes: Uint8Array<ArrayBuffer>) => {
    const url = `${server.url}/v2/models/m/infer`;
    return (
      await fetch(url, { method: 'POST', headers: { 'content-type': `${headers['content-type']}` }, body: bytes })
    ).status;
  };
  expect(await infer(body)).toBe(504);
  const own = `{"parameters":{"timeout":10000000},${Buffer.from(body).toString().slice(1)}`;
  expect(await infer(new Uint8Array(Buffer.from(own)))).toBe(200);
  expect(await infer(new Uint8Array(Buffer.from(own.padEnd(301))))).toBe(413);
});
