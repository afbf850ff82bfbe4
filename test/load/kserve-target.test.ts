import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeInferRequest, encodeInferResponse } from '../../src/kserve/index.ts';
import { createLoadDriver, summarizeRequests } from '../../src/load/index.ts';
import type { LoadTarget, Protocol } from '../../src/load/types.ts';
import type { DatasetRef, NamedTensor, TensorSpec } from '../../src/models/types.ts';
import { countOutcomes, offer } from './load-rig.ts';

const CLASSES = 8;
const SAMPLES = 10;
const inputs: readonly TensorSpec[] = [{ name: 'pixels', type: 'float32', shape: ['batch', 2, 2] }];
const outputs: readonly TensorSpec[] = [{ name: 'scores', type: 'float32', shape: ['batch', CLASSES] }];

let folder: string;
let dataset: DatasetRef;

/** Sample i is four pixels of value i, its label i modulo the classes. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dse-load-'));
  const idx = (shape: readonly number[], data: readonly number[]) => {
    const header = Buffer.alloc(4 + 4 * shape.length);
    header.writeUInt16BE(0x08 * 256 + shape.length, 2);
    for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis);
    return Buffer.concat([header, Buffer.from(data)]);
  };
  const samples = [...Array(SAMPLES).keys()];
  dataset = { name: 'pixels', samples: join(folder, 'images'), labels: join(folder, 'labels'), scale: 1, offset: 0 };
  writeFileSync(
    dataset.samples,
    idx(
      [SAMPLES, 2, 2],
      samples.flatMap((sample) => Array(4).fill(sample)),
    ),
  );
  writeFileSync(
    dataset.labels,
    idx(
      [SAMPLES],
      samples.map((sample) => sample % CLASSES),
    ),
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Scores that put sample 3 of the dataset last, sample 4 third, and every other first. */
function scoresFor(sample: number): readonly number[] {
  const label = sample % CLASSES;
  return Array.from({ length: CLASSES }, (_, index) => {
    if (index !== label) return 10 + index;
    return sample === 3 ? 0 : sample === 4 ? 15.5 : 100;
  });
}

/** A KServe V2 server in this process; `seen` gets the first pixel of every item it was sent. */
async function serve(seen: number[], spoil?: (body: Uint8Array) => Uint8Array): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = new Uint8Array(await buffer(request));
    const { tensors, binaryOutputs } = decodeInferRequest(request.headers, body, { inputs, outputs });
    const data = tensors[0]?.data as Float32Array;
    const first = Array.from({ length: data.length / 4 }, (_, item) => data[item * 4] ?? Number.NaN);
    seen.push(...first);
    const scores: NamedTensor = {
      name: 'scores',
      type: 'float32',
      shape: [first.length, CLASSES],
      data: Float32Array.from(first.flatMap(scoresFor)),
    };
    const answer = encodeInferResponse({
      modelName: 'tiny',
      modelVersion: undefined,
      id: undefined,
      outputs: [scores],
      binaryOutputs,
    });
    expect(request.url).toBe('/v2/models/tiny%2F1/infer');
    response.writeHead(200, { ...answer.headers, 'Server-Timing': 'queue;dur=0.25, compute;dur=1.5' });
    response.end(spoil === undefined ? answer.body : spoil(answer.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function load(target: LoadTarget) {
  const driver = await createLoadDriver();
  onTestFinished(() => driver[Symbol.asyncDispose]());
  await driver.prepare(target, { timeoutMs: 5000 });
  return offer(driver, { kind: 'closed', concurrency: 1 }, 0.5);
}

const targetAt = (url: string, protocol: Protocol, batch: number, labelled: boolean): LoadTarget => ({
  kind: 'kserve',
  url,
  modelName: 'tiny/1',
  protocol,
  batch,
  dims: {},
  inputs,
  dataset: labelled ? dataset : undefined,
  seed: 5,
});

describe.each<Protocol>(['rest-json', 'rest-binary'])('over %s', (protocol) => {
  test('every labelled sample is sent equally often and scored against its own label', async () => {
    const seen: number[] = [];
    const records = await load(targetAt(await serve(seen), protocol, 3, true));
    expect(countOutcomes(records)).toEqual({ ok: records.count });
    // Thirty items in ten requests hold each of the ten samples three times.
    const rounds = Math.floor(records.count / 10);
    expect(rounds).toBeGreaterThan(0);
    const counts = new Map<number, number>();
    for (const sample of seen.slice(0, rounds * 30)) counts.set(sample, (counts.get(sample) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array(SAMPLES).fill(rounds * 3));
    const firsts = [...records.top1Correct.slice(0, rounds * 10)].reduce((sum, correct) => sum + correct, 0);
    const fives = [...records.top5Correct.slice(0, rounds * 10)].reduce((sum, correct) => sum + correct, 0);
    expect(firsts / (rounds * 30)).toBeCloseTo(0.8, 9);
    expect(fives / (rounds * 30)).toBeCloseTo(0.9, 9);
    const window = { startNs: 0, endNs: Number.MAX_SAFE_INTEGER, timeoutMs: 5000, batch: 3 };
    const { responses } = summarizeRequests(records, window);
    expect(responses).toMatchObject({ queue_ms: expect.closeTo(0.25, 4), compute_ms: expect.closeTo(1.5, 4) });
  });

  test('an answer that cannot be read is malformed', async () => {
    const url = await serve([], (body) => body.fill(0x20, 0, 4));
    const records = await load(targetAt(url, protocol, 2, true));
    expect(countOutcomes(records)).toEqual({ malformed: records.count });
    expect([...records.top1Correct].every((correct) => correct === -1)).toBe(true);
  });

  test('without labels the inputs differ from request to request and nothing is scored', async () => {
    const seen: number[] = [];
    const records = await load(targetAt(await serve(seen), protocol, 2, false));
    expect(countOutcomes(records)).toEqual({ ok: records.count });
    expect(new Set(seen).size).toBe(32);
    expect([...records.top1Correct].every((correct) => correct === -1)).toBe(true);
  });
});

test('a model whose inputs cannot be made up is refused with the reason', async () => {
  const driver = await createLoadDriver();
  onTestFinished(() => driver[Symbol.asyncDispose]());
  const target = {
    ...targetAt('http://127.0.0.1:1', 'rest-json', 1, false),
    inputs: [{ name: 'x', type: 'float32', shape: [1, 'length'] }],
  };
  await expect(driver.prepare(target as LoadTarget, { timeoutMs: 1000 })).rejects.toThrow(
    'leaves its dimension "length" open',
  );
});
