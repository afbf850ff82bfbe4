import { afterAll, expect, test } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../../src/kserve/index.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';
import { ServerProcess, settingsFor } from './server-rig.ts';

const files = new TinyModels();
afterAll(() => files[Symbol.dispose]());

const MODEL_BYTES = 24e6;
const NAMES = ['a', 'b', 'c'];
const CLIENTS = 4;
const ROUNDS = 5;

const { headers, body } = encodeInferRequest('rest-binary', [
  { name: 'a', type: 'float32', shape: [1, 3], data: Float32Array.of(1, 2, 3) },
  { name: 'index', type: 'int64', shape: [1], data: BigInt64Array.of(7n) },
]);

async function infer(url: string, name: string): Promise<number> {
  const response = await fetch(`${url}/v2/models/${name}/infer`, { method: 'POST', headers, body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.ok) {
    const answer = decodeInferResponse(Object.fromEntries(response.headers), bytes);
    expect(answer).toMatchObject({ modelName: name, outputs: [{ data: Float32Array.of(2, 3, 4) }] });
  }
  return response.status;
}

interface Seen {
  readonly status: number;
  /** Models that were ready right after. */
  readonly ready: number;
}

/** A client that asks for all models in turn, again and again. */
async function goThrough(url: string, first: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let at = 0; at < ROUNDS * NAMES.length; at++) {
    const status = await infer(url, NAMES[(first + at) % NAMES.length] as string);
    seen.push({ status, ready: await countReady(url) });
  }
  return seen;
}

async function countReady(url: string): Promise<number> {
  const response = await fetch(`${url}/v2/repository/index`, { method: 'POST', body: '{"ready":true}' });
  return ((await response.json()) as unknown[]).length;
}

/** A metric of every model, or of the process. */
async function readMetrics(url: string): Promise<(name: string) => number[]> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return (name) =>
    [...page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'gm'))].map(([, value]) => Number(value));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

test('more models than may be loaded, asked for in turn by several clients at once: none fails, and memory goes back', async () => {
  const file = files.heavy(MODEL_BYTES);
  const models = NAMES.map((name) => ({ name, file, engine: plainSettings }));
  const { server, url } = await ServerProcess.listening(settingsFor(file, { models, maxLoaded: 2 }));
  await using _server = server;
  // What every load of a model leaves behind once, such as code of the runtime.
  for (const name of NAMES) expect(await infer(url, name)).toBe(200);
  const before = await readMetrics(url);
  expect(before('dse_model_loads_total')).toEqual([1, 1, 1]);
  expect(before('dse_model_unloads_total')).toEqual([1, 0, 0]);

  const seen = (await Promise.all(Array.from({ length: CLIENTS }, (_, first) => goThrough(url, first)))).flat();
  const asked = CLIENTS * ROUNDS;
  expect(seen.map(({ status }) => status)).toEqual(Array(asked * NAMES.length).fill(200));
  expect(Math.max(...seen.map(({ ready }) => ready))).toBeLessThanOrEqual(2);

  const after = await readMetrics(url);
  expect(after('dse_requests_total')).toEqual(Array(NAMES.length).fill(asked + 1));
  expect(after('dse_request_errors_total')).toEqual([]);
  const [loads, unloads] = [sum(after('dse_model_loads_total')), sum(after('dse_model_unloads_total'))];
  expect(loads - unloads).toBe(2);
  expect(sum(after('dse_model_loaded'))).toBe(2);
  // Each time that a client goes through all three, at least one was not there when it began.
  expect(loads - sum(before('dse_model_loads_total'))).toBeGreaterThanOrEqual(ROUNDS);

  const change = (name: string, how: string) => fetch(`${url}/v2/repository/models/${name}/${how}`, { method: 'POST' });
  // The first makes room for it where it is not there; the second loads it anew.
  for (let count = 0; count < 2; count++) expect((await change('c', 'load')).status).toBe(200);
  const again = await readMetrics(url);
  expect(sum(again('dse_model_loads_total')) - sum(again('dse_model_unloads_total'))).toBe(2);
  for (const name of NAMES) await change(name, 'unload');
  const empty = await readMetrics(url);
  expect(empty('dse_model_unloads_total')).toEqual(empty('dse_model_loads_total'));
  const [twoThen, twoNow, none] = [before, after, empty].map((read) => sum(read('process_resident_memory_bytes')));
  expect(Number(twoNow) - Number(twoThen)).toBeLessThan(2 * MODEL_BYTES);
  expect(Number(twoNow) - Number(none)).toBeGreaterThan(2 * MODEL_BYTES);
});
