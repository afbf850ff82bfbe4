import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { BufferPool } from '../../src/server/buffer-pool.ts';
import { type RunningApp, startServer } from '../../src/server/index.ts';
import { ModelRepository } from '../../src/server/repository/index.ts';
import type { ModelSettings } from '../../src/server/types.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';

const files = new TinyModels();
afterAll(() => files[Symbol.dispose]());

function model(name: string, changes: Partial<ModelSettings> = {}): ModelSettings {
  return { name, file: files.add(), engine: plainSettings, ...changes };
}

function start(models: readonly ModelSettings[], changes: object = {}): Promise<RunningApp> {
  return startServer({ models, host: '127.0.0.1', port: 0, ...changes });
}

const ones: NamedTensor = { name: 'a', type: 'float32', shape: [1, 3], data: Float32Array.of(1, 1, 1) };
const request = encodeInferRequest('rest-binary', [ones, { ...ones, name: 'b' }]);

/** Status of one inference; a success is checked to be right. */
async function infer(server: RunningApp, name: string, version = ''): Promise<number> {
  const url = `${server.url}/v2/models/${name}${version === '' ? '' : `/versions/${version}`}/infer`;
  const response = await fetch(url, { method: 'POST', headers: request.headers, body: request.body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.ok) {
    const answer = decodeInferResponse(Object.fromEntries(response.headers), bytes);
    expect(answer).toMatchObject({ modelName: name, outputs: [{ data: Float32Array.of(2, 2, 2) }] });
    if (version !== '') expect(answer.modelVersion).toBe(version);
  }
  return response.status;
}

async function post(server: RunningApp, route: string, body?: object) {
  const response = await fetch(`${server.url}/v2/repository/${route}`, {
    method: 'POST',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as unknown };
}

/** What a client of grpc.health.v1 is told of the server as a whole. */
function grpcHealth(address: string): Promise<string> {
  const Client = makeClientConstructor(healthService as never, 'Health');
  const client = new Client(address, credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a service.
    (client as any).Check({ service: '' }, (error: Error | null, answer: { status: string }) => {
      client.close();
      if (error === null) resolve(answer.status);
      else reject(error);
    });
  });
}

async function get(server: RunningApp, route: string) {
  const response = await fetch(`${server.url}/v2/models/${route}`);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('a server of several models and versions', () => {
  it('answers each by its name, the newest version unless one is named', async () => {
    await using server = await start([model('a', { version: '10' }), model('a', { version: '9' }), model('b')]);
    expect(await infer(server, 'a')).toBe(200);
    expect(await infer(server, 'a', '9')).toBe(200);
    expect(await infer(server, 'a', '10')).toBe(200);
    expect(await infer(server, 'b', '1')).toBe(200);
    expect((await get(server, 'a')).json).toMatchObject({ name: 'a', versions: ['9', '10'] });
    expect(await get(server, 'c')).toEqual({
      status: 404,
      json: { error: 'there is no model "c"; this server has "a", "b"' },
    });
  });

  it('says what loading took', async () => {
    await using server = await start([model('a')]);
    const { parameters } = (await get(server, 'a')).json as { parameters: Record<string, number> };
    expect(parameters.load_ms).toBeGreaterThan(0);
    expect(parameters.warm_up_ms).toBeGreaterThan(0);
    expect(parameters.load_memory_mb).toBeGreaterThanOrEqual(0);
  });
});

describe('the repository extension', () => {
  it('lists, unloads and loads', async () => {
    await using server = await start([model('a'), model('b', { isLoadedAtStart: false })]);
    expect((await post(server, 'index')).json).toEqual([
      { name: 'a', version: '1', state: 'READY', reason: '' },
      { name: 'b', version: '1', state: 'UNAVAILABLE', reason: '' },
    ]);
    expect((await post(server, 'index', { ready: true })).json).toMatchObject([{ name: 'a' }]);
    expect(await post(server, 'models/a/unload')).toEqual({ status: 200, json: {} });
    expect(await get(server, 'a/ready')).toEqual({ status: 503, json: { name: 'a', ready: false } });
    expect(await get(server, 'a')).toEqual({
      status: 503,
      json: { error: 'the model "a", version "1", is not ready: it was unloaded on request' },
    });
    expect(await infer(server, 'a')).toBe(503);
    expect(await post(server, 'models/a/load')).toEqual({ status: 200, json: {} });
    expect(await infer(server, 'a')).toBe(200);
    expect(await post(server, 'models/a/load')).toEqual({ status: 200, json: {} });
    expect(await post(server, 'models/c/load')).toMatchObject({ status: 404 });
    expect(await post(server, 'index', { ready: 1 })).toMatchObject({ status: 400 });
  });

  it('says why a model cannot be loaded, and keeps serving the others', async () => {
    const broken = files.file('broken.onnx', 'text');
    await using server = await start([model('a'), model('broken', { file: broken, isLoadedAtStart: false })]);
    const reply = await post(server, 'models/broken/load');
    expect(reply.status).toBe(500);
    expect(reply.json).toEqual({
      error: expect.stringMatching(/^the model "broken", version "1", is not ready: onnxruntime cannot load it: .+$/),
    });
    expect(await infer(server, 'a')).toBe(200);
  });

  it('makes the server not ready while a model could not be loaded, until it is loaded or unloaded on request', async () => {
    const late = path.join(files.folder, 'late-file.onnx');
    await using server = await start([model('a'), model('late', { file: late, isLoadedAtStart: false })], {
      grpcPort: 0,
    });
    const isReady = async () => {
      const response = await fetch(`${server.url}/v2/health/ready`);
      const { ready } = (await response.json()) as { ready: boolean };
      expect(response.status).toBe(ready ? 200 : 503);
      expect(await grpcHealth(String(server.grpcAddress))).toBe(ready ? 'SERVING' : 'NOT_SERVING');
      return ready;
    };
    expect(await isReady()).toBe(true);
    expect(await infer(server, 'late')).toBe(503);
    expect(await isReady()).toBe(false);
    expect(await infer(server, 'a')).toBe(200);
    expect(await post(server, 'models/late/unload')).toMatchObject({ status: 200 });
    expect(await isReady()).toBe(true);
    expect(await post(server, 'models/late/load')).toMatchObject({ status: 500 });
    expect(await isReady()).toBe(false);
    copyFileSync(files.add(), late);
    expect(await post(server, 'models/late/load')).toMatchObject({ status: 200 });
    expect(await isReady()).toBe(true);
    expect(await post(server, 'models/a/unload')).toMatchObject({ status: 200 });
    expect(await isReady()).toBe(true);
  });

  it('loads a model anew from its file, the old one answering meanwhile and where the new one is broken', async () => {
    const file = path.join(files.folder, 'reloaded.onnx');
    copyFileSync(files.add(), file);
    await using server = await start([model('a', { file })]);
    const outputs = async () => ((await get(server, 'a')).json.outputs as { name: string }[]).map(({ name }) => name);
    let isOver = false;
    const statuses: number[] = [];
    const ask = async () => {
      while (!isOver) statuses.push(await infer(server, 'a'));
    };
    const asking = Promise.all([ask(), ask()]);
    for (let i = 0; i < 2; i++) expect(await post(server, 'models/a/load')).toEqual({ status: 200, json: {} });
    isOver = true;
    await asking;
    expect(new Set(statuses)).toEqual(new Set([200]));
    copyFileSync(files.divide(), file);
    expect(await outputs()).toEqual(['sum']);
    expect(await post(server, 'models/a/load')).toEqual({ status: 200, json: {} });
    expect(await outputs()).toEqual(['quotient', 'copy']);
    copyFileSync(files.file('broken-anew.onnx', 'text'), file);
    expect(await post(server, 'models/a/load')).toEqual({
      status: 500,
      json: {
        error: expect.stringMatching(/^the model "a", version "1", was not loaded anew and stays as it was: .+$/),
      },
    });
    expect(await outputs()).toEqual(['quotient', 'copy']);
    expect((await post(server, 'index')).json).toMatchObject([{ state: 'READY', reason: '' }]);
    expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  });

  it('loads and unloads one model without a failed request of another', async () => {
    await using server = await start([model('a'), model('b')]);
    let isOver = false;
    const statuses: number[] = [];
    const ask = async () => {
      while (!isOver) statuses.push(await infer(server, 'a'));
    };
    const asking = Promise.all([ask(), ask()]);
    for (let i = 0; i < 3; i++) {
      expect((await post(server, 'models/b/unload')).status).toBe(200);
      expect((await post(server, 'models/b/load')).status).toBe(200);
    }
    isOver = true;
    await asking;
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('answers the requests a model has before it is unloaded', async () => {
    const watch = () => ({ onAnswer: () => {}, onError: () => {}, onRun: () => {} });
    const events = { onDeath: () => {}, onFault: () => {}, watch };
    await using repository = new ModelRepository([model('a')], { pool: new BufferPool(0) }, events);
    await repository.loadAtStart();
    let unloading: Promise<void> | undefined;
    const answer = repository.use('a', undefined, async (loaded) => {
      unloading = repository.unload('a');
      await expect.poll(() => repository.find('a', undefined).state).toBe('unloading');
      await expect(repository.use('a', undefined, async () => {})).rejects.toThrow('it was unloaded on request');
      return loaded.infer({ tensors: [ones, { ...ones, name: 'b' }], outputs: ['sum'], lend: [] });
    });
    expect((await answer).outputs[0]?.data).toEqual(Float32Array.of(2, 2, 2));
    await unloading;
    expect(repository.find('a', undefined)).toMatchObject({ state: 'unavailable', loaded: undefined });
  });

  it('finds what is put into the folder while serving', async () => {
    const folder = path.join(files.folder, 'repository');
    mkdirSync(path.join(folder, 'deep', '2'), { recursive: true });
    mkdirSync(path.join(folder, 'deep', 'notes'), { recursive: true });
    copyFileSync(files.add(), path.join(folder, 'deep', '2', 'model.onnx'));
    copyFileSync(files.add(), path.join(folder, 'flat.onnx'));
    await using server = await start([], { folder: { path: folder, serving: { engine: plainSettings } } });
    expect(server.modelNames).toEqual(['deep', 'flat']);
    expect(await infer(server, 'deep', '2')).toBe(200);
    expect(await post(server, 'models/late/load')).toMatchObject({ status: 404 });
    copyFileSync(files.add(), path.join(folder, 'late.onnx'));
    expect(await post(server, 'models/late/load')).toMatchObject({ status: 200 });
    expect(await infer(server, 'late')).toBe(200);
  });
});

describe('a limit on loaded models', () => {
  it('unloads the one used longest ago, and loads it again when it is asked for', async () => {
    await using server = await start([model('a'), model('b'), model('c')], { maxLoaded: 2 });
    const ready = async () =>
      ((await post(server, 'index', { ready: true })).json as { name: string }[]).map(({ name }) => name);
    expect(await ready()).toEqual(['a', 'b']);
    expect(await infer(server, 'b')).toBe(200);
    expect(await infer(server, 'a')).toBe(200);
    expect(await infer(server, 'c')).toBe(200);
    expect(await ready()).toEqual(['a', 'c']);
    expect(await infer(server, 'b')).toBe(200);
    expect(await ready()).toEqual(['b', 'c']);
  });

  it('fails no request when more models are asked for at once than may be loaded', async () => {
    await using server = await start([model('a'), model('b'), model('c')], { maxLoaded: 1 });
    const names = Array.from({ length: 12 }, (_, i) => ['a', 'b', 'c'][i % 3] as string);
    expect(new Set(await Promise.all(names.map((name) => infer(server, name))))).toEqual(new Set([200]));
  });
});
