/**
 * What the server's own options cost and give, rest-binary, batch 1 in a request, one thread; the server on CPU 0, the load on CPU 1.
 *
 * - `batching [MODEL]`: throughput of dynamic batching without a delay over that without batching, for a closed loop of one client and of eight, in pairs of short turns: the median
 *   ratio and its interval of 95 %. Batching is free where neither interval lies below 1, nor a median below 0.97.
 * - `table MODEL`: throughput (closed loop of 16) and p99 (open loop at 60 % of what the same options carry in closed loop) over sizes and delays.
 * - `cache`: throughput of answers that are remembered over those that are not, SqueezeNet 1.1, closed loop of 4; the limit is 20.
 * - `added`: what the server adds to a bare inference at p99, at 30 % of capacity and constant gaps, SqueezeNet 1.1; the limit is 1 ms.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: serving-options.ts batching|table|cache|added [model] [seconds a run]
 */
import { type LoadDriver, type OfferedLoad, OUTCOME } from '../src/load/types.ts';
import type { ServingSettings } from '../src/server/index.ts';
import type { Arrivals } from '../src/spec/types.ts';
import { NS_PER_MS, US_PER_MS } from '../src/units.ts';
import { medianWithin, startBareLoop } from './bare-rig.ts';
import {
  getModel,
  measureServed,
  medianOf,
  offer,
  offerAndRecord,
  PLAIN_ENGINE,
  pinSelf,
  prepareLoad,
  printRow,
  startOnCpu0,
} from './serving-rig.ts';

const LIMIT_BATCHING = 0.97;
const LIMIT_CACHE = 20;
const LIMIT_ADDED_MS = 1;
const ROUNDS = 3;
const BATCHING_ROUNDS = 12;
/** What a 99th percentile needs. */
const FEWEST_ADDED = 662;

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

/** Both servers are up and take turns, the order reversed from round to round. */
async function compareBatching(name: string, seconds: number): Promise<number> {
  const model = await getModel(name);
  const served = { name: 'm', file: model.file, engine: PLAIN_ENGINE };
  await using off = await startOnCpu0({ models: [served] });
  await using on = await startOnCpu0({ models: [{ ...served, batching: { maxBatch: 8, maxQueueDelayMs: 0 } }] });
  await using toOff = await prepareLoad(off, model);
  await using toOn = await prepareLoad(on, model);
  printRow('clients', 'off rps', 'delay 0 rps', ' ratio');
  let isFree = true;
  for (const clients of [1, 8]) {
    const rates: { readonly off: number; readonly on: number }[] = [];
    for (let round = -1; round < BATCHING_ROUNDS; round++) {
      const drivers = round % 2 === 0 ? [toOff, toOn] : [toOn, toOff];
      const rps = new Map<LoadDriver, number>();
      for (const driver of drivers) rps.set(driver, (await offer(driver, closed(clients), seconds)).achievedRps);
      // The first round warms up.
      if (round >= 0) rates.push({ off: rps.get(toOff) ?? Number.NaN, on: rps.get(toOn) ?? Number.NaN });
    }
    const { median, lo, hi } = medianWithin(rates.map((rate) => rate.on / rate.off));
    const medians = [medianOf(rates.map((rate) => rate.off)), medianOf(rates.map((rate) => rate.on))] as const;
    printRow(clients, ...medians, ` ${median.toFixed(3)} [${lo.toFixed(3)}, ${hi.toFixed(3)}]`);
    isFree &&= hi >= 1 && median >= LIMIT_BATCHING;
  }
  console.log(`${name}: batching without a delay is ${isFree ? 'not measurably slower' : 'slower'} than none`);
  return isFree ? 0 : 1;
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

/**
 * What the server adds to an inference: of each request latency minus its own time in the runtime, of which the 99th percentile, plus by how much the median time in the
 * runtime exceeds that of a bare loop that starts its runs at the same gaps.
 *
 * At 30 % load at constant gaps no request waits for another, unless a run takes more than three times as long as usual; queueing is no cost of the server.
 */
async function measureAdded(seconds: number): Promise<number> {
  const model = await getModel('squeezenet1.1');
  await using bare = await startBareLoop(model.name);
  await using server = await startOnCpu0({ models: [{ name: 'm', file: model.file, engine: PLAIN_ENGINE }] });
  await using driver = await prepareLoad(server, model);
  const full = await offer(driver, closed(2), seconds);
  const rateRps = 0.3 * full.achievedRps;
  const [addedMs, computeMs, bareMs]: [number[], number[], number[]] = [[], [], []];
  while (addedMs.length < FEWEST_ADDED) {
    const { p50Ms } = await bare.run({ seconds, inputs: 'fresh', everyMs: 1e3 / rateRps });
    bareMs.push(p50Ms);
    const { records, startNs } = await offerAndRecord(driver, open(rateRps, 'constant'), seconds);
    for (const [row, intendedNs] of records.intendedNs.entries()) {
      const { doneNs, computeUs, outcome } = records;
      if (intendedNs < startNs || outcome[row] === OUTCOME.unanswered) continue;
      if (outcome[row] !== OUTCOME.ok) throw new Error('a request failed');
      const ownMs = Number(computeUs[row]) / US_PER_MS;
      computeMs.push(ownMs);
      addedMs.push((Number(doneNs[row]) - intendedNs) / NS_PER_MS - ownMs);
    }
  }
  const slowerMs = medianOf(computeMs) - medianOf(bareMs);
  const p99Ms = addedMs.sort((a, b) => a - b)[Math.ceil(0.99 * addedMs.length) - 1] ?? Number.NaN;
  printRow('rps', 'requests', 'bare ms', 'compute ms', 'added p50', 'added p99');
  printRow(rateRps, addedMs.length, medianOf(bareMs), medianOf(computeMs), medianOf(addedMs), p99Ms);
  const totalMs = p99Ms + slowerMs;
  console.log(
    `the server adds ${totalMs.toFixed(2)} ms at p99: ${p99Ms.toFixed(2)} around the run, ${slowerMs.toFixed(2)} in it (limit ${LIMIT_ADDED_MS})`,
  );
  return totalMs < LIMIT_ADDED_MS ? 0 : 1;
}
