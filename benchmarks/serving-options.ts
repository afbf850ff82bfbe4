/**
 * What the server's own options cost and give, rest-binary, batch 1 in a request, one thread; the server on CPU 0, the load on CPU 1.
 *
 * - `batching`: throughput of dynamic batching without a delay over that without batching, for a closed loop of one client and of eight, turn about, median over rounds.
 *   Batching is free where one client is answered as fast: above 0.97.
 * - `table MODEL`: throughput (closed loop of 16) and p99 (open loop at 60 % of what the same options carry in closed loop) over sizes and delays.
 * - `cache`: throughput of answers that are remembered over those that are not, SqueezeNet 1.1, closed loop of 4; the limit is 20.
 * - `added`: p99 of latency at 30 % of capacity at constant gaps minus the mean compute time, SqueezeNet 1.1; the limit is 1 ms.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: serving-options.ts batching|table|cache|added [model] [seconds a run]
 */
import type { OfferedLoad } from '../src/load/types.ts';
import type { ServingSettings } from '../src/server/index.ts';
import type { Arrivals } from '../src/spec/types.ts';
import { getModel, measureServed, medianOf, pinSelf, printRow } from './serving-rig.ts';

const LIMIT_BATCHING = 0.97;
const LIMIT_CACHE = 20;
const LIMIT_ADDED_MS = 1;
const ROUNDS = 3;

const [what = 'batching', modelName, secondsText] = process.argv.slice(2);
pinSelf();
process.exitCode = await run(Number(secondsText ?? 3));

function run(seconds: number): Promise<number> {
  switch (what) {
    case 'batching':
      return compareBatching(modelName ?? 'squeezenet1.1', seconds);
    case 'table':
      return printTable(modelName ?? 'squeezenet1.1', seconds);
    case 'cache':
      return compareCache(seconds);
    case 'added':
      return measureAdded(seconds);
    default:
      throw new Error(`"${what}" is none of batching, table, cache, added`);
  }
}

function closed(concurrency: number): OfferedLoad {
  return { kind: 'closed', concurrency };
}

function open(rateRps: number, arrivals: Arrivals = 'poisson'): OfferedLoad {
  return { kind: 'open', rateRps, arrivals, seed: 1, connections: 64 };
}

async function compareBatching(name: string, seconds: number): Promise<number> {
  const model = await getModel(name);
  const loads = [closed(1), closed(8)];
  const ratios: number[][] = loads.map(() => []);
  printRow('clients', 'off rps', 'delay 0 rps', 'ratio');
  for (let round = 0; round < ROUNDS; round++) {
    const off = await measureServed(model, {}, loads, seconds);
    const on = await measureServed(model, { batching: { maxBatch: 8, maxQueueDelayMs: 0 } }, loads, seconds);
    for (const [index, clients] of [1, 8].entries()) {
      const [offRps, onRps] = [off[index]?.achievedRps ?? Number.NaN, on[index]?.achievedRps ?? Number.NaN];
      ratios[index]?.push(onRps / offRps);
      printRow(clients, offRps, onRps, onRps / offRps);
    }
  }
  const medians = ratios.map(medianOf);
  console.log(
    `${name}: median ratio ${medians.map((ratio) => ratio.toFixed(3)).join(' and ')} (limit ${LIMIT_BATCHING} with one client)`,
  );
  return (medians[0] ?? 0) >= LIMIT_BATCHING ? 0 : 1;
}

async function printTable(name: string, seconds: number): Promise<number> {
  const model = await getModel(name);
  printRow('max_batch', 'delay ms', 'full rps', 'at 60 %', 'p50 ms', 'p99 ms');
  const options: Omit<ServingSettings, 'engine'>[] = [
    {},
    ...[4, 16].flatMap((maxBatch) =>
      [0, 2, 10].map((maxQueueDelayMs) => ({ batching: { maxBatch, maxQueueDelayMs } })),
    ),
  ];
  for (const serving of options) {
    const [full] = await measureServed(model, serving, [closed(16)], seconds);
    const fullRps = full?.achievedRps ?? Number.NaN;
    const [part] = await measureServed(model, serving, [open(0.6 * fullRps)], seconds);
    const { maxBatch = 'off', maxQueueDelayMs = '' } = serving.batching ?? {};
    const { latency_p50_ms: p50 = '', latency_p99_ms: p99 = 'too few' } = part?.responses ?? {};
    printRow(maxBatch, maxQueueDelayMs, fullRps, 0.6 * fullRps, p50, p99);
  }
  return 0;
}

async function compareCache(seconds: number): Promise<number> {
  const model = await getModel('squeezenet1.1');
  const ratios: number[] = [];
  printRow('miss rps', 'hit rps', 'hit rate', 'ratio');
  for (let round = 0; round < ROUNDS; round++) {
    // One answer remembered of sixteen requests in turn: never the right one.
    const [miss] = await measureServed(model, { cache: { entries: 1 } }, [closed(4)], seconds, { distinct: 16 });
    const [hit] = await measureServed(model, { cache: { entries: 100 } }, [closed(4)], seconds, { distinct: 16 });
    const [missRps, hitRps] = [miss?.achievedRps ?? Number.NaN, hit?.achievedRps ?? Number.NaN];
    ratios.push(hitRps / missRps);
    printRow(missRps, hitRps, hit?.responses.cache_hit_rate ?? Number.NaN, hitRps / missRps);
  }
  console.log(`median ratio ${medianOf(ratios).toFixed(1)} (limit ${LIMIT_CACHE})`);
  return medianOf(ratios) >= LIMIT_CACHE ? 0 : 1;
}

/** At 30 % load some requests wait for another, which is queueing and no cost of the server: arrivals at constant gaps leave that out. */
async function measureAdded(seconds: number): Promise<number> {
  const model = await getModel('squeezenet1.1');
  const [full] = await measureServed(model, {}, [closed(2)], seconds);
  const rateRps = 0.3 * (full?.achievedRps ?? Number.NaN);
  const [part] = await measureServed(model, {}, [open(rateRps, 'constant')], Math.max(seconds, (700 / rateRps) * 1.2));
  const { latency_p50_ms: p50, latency_p99_ms: p99, compute_ms: compute, queue_ms: queue } = part?.responses ?? {};
  const added = (p99 ?? Number.NaN) - (compute ?? Number.NaN);
  printRow('rps', 'compute ms', 'queue ms', 'p50 ms', 'p99 ms', 'added ms');
  printRow(rateRps, compute ?? '', queue ?? '', p50 ?? '', p99 ?? '', added);
  console.log(`p99 is ${added.toFixed(2)} ms over the mean compute time (limit ${LIMIT_ADDED_MS})`);
  return added < LIMIT_ADDED_MS ? 0 : 1;
}
