/**
 * A bare onnxruntime loop in a process of its own, for benchmarks that compare the server with it. Not run by hand.
 *
 * One session on the main thread, with the options the server gives its own, and one run after another: what a user of onnxruntime writes. With `fresh` every run gets its
 * input in new memory, as a new image is read into it; with `same` one tensor is run again and again, its bytes in the cache.
 *
 * Takes the name of a model; then commands on standard input, one JSON line each, `{"seconds":1,"inputs":"fresh"}`, each answered with a line; with `everyMs`
 * runs start at constant gaps, with rests between them.
 */
import '../src/no-telemetry.ts';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { sessionOptions, toRuntimeTensor } from '../src/engine/session.ts';
import { makeSampleBatches, type NamedTensor } from '../src/models/index.ts';
import type { BareBlock, BareCommand } from './bare-rig.ts';
import { getModel, medianOf, PLAIN_ENGINE } from './serving-rig.ts';

const WARMUP_RUNS = 30;
const DISTINCT = 16;

const { file, inputs: specs, dims } = await getModel(process.argv[2] ?? '');
const session = await InferenceSession.create(file, sessionOptions(PLAIN_ENGINE));
const samples = makeSampleBatches(specs, { batch: 1, count: DISTINCT, seed: 1, dims }).map(({ tensors }) => tensors);
const sameFeeds = feedsOf(samples[0] ?? []);
let runs = 0;

for (let i = 0; i < WARMUP_RUNS; i++) await session.run(nextFeeds('fresh'));
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await runBlock(JSON.parse(line) as BareCommand)));
}

async function runBlock({ seconds, inputs, everyMs = 0 }: BareCommand): Promise<BareBlock> {
  const latenciesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  let nowMs = startMs;
  while (nowMs - startMs < 1e3 * seconds) {
    if (everyMs > 0) await sleep(startMs + latenciesMs.length * everyMs - nowMs);
    const runMs = performance.now();
    await session.run(nextFeeds(inputs));
    nowMs = performance.now();
    latenciesMs.push(nowMs - runMs);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const count = latenciesMs.length;
  return {
    perSecond: count / ((nowMs - startMs) / 1e3),
    p50Ms: medianOf(latenciesMs),
    cpuMsEach: (user + system) / 1e3 / count,
    latenciesMs,
  };
}

function nextFeeds(inputs: BareCommand['inputs']): Record<string, Tensor> {
  if (inputs === 'same') return sameFeeds;
  const sample = samples[runs++ % DISTINCT] ?? [];
  return feedsOf(sample.map((tensor): NamedTensor => ({ ...tensor, data: tensor.data.slice() as typeof tensor.data })));
}

function feedsOf(tensors: readonly NamedTensor[]): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, toRuntimeTensor(tensor)]));
}
