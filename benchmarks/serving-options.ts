/**
 * What the server's own options cost and give, rest-binary, batch 1 in a request, one thread; the server on CPU 0, the load on CPU 1.
 *
 * - `batching [MODEL]`: throughput of dynamic batching without a delay over that without batching, for a closed loop of one client and of eight, in pairs of short turns: the median
 *   ratio and its interval of 95 %. Batching is free where neither interval lies below 1, nor a median below 0.97.
 * - `table MODEL`: throughput (closed loop of 16) and p99 (open loop at 60 % of what the same options carry in closed loop) over sizes and delays.
 * - `cache`: throughput of answers that are remembered over those that are not, SqueezeNet 1.1, closed loop of 4; the limit is 20.
 * - `added [MODEL]`: what the server adds to a bare inference at p99, at 30 % of capacity; the limit is 1 ms. And how much of that the least server does that there can be.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: serving-options.ts batching|table|cache|added [model] [seconds a run]
 */
import { type LoadDriver, type OfferedLoad, OUTCOME } from '../src/load/types.ts';
import type { ServingSettings } from '../src/server/index.ts';
import { NS_PER_MS, US_PER_MS } from '../src/units.ts';
import { medianWithin, startBareLoop, startBareServer } from './bare-rig.ts';
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
      return measureAdded(modelName ?? 'squeezenet1.1', seconds);
    default:
      throw new Error(`"${what}" is none of batching, table, cache, added`);
  }
}

function closed(concurrency: number): OfferedLoad {
  return { kind: 'closed', concurrency };
}

function open(rateRps: number): OfferedLoad {
  return { kind: 'open', rateRps, arrivals: 'poisson', seed: 1, connections: 64 };
}

function even(rateRps: number): OfferedLoad {
  return { kind: 'open', rateRps, arrivals: 'constant', seed: 1, connections: 64 };
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
 * What a request takes at 30 % load beyond the same inference at the same gaps without a server: the difference of the 99th percentiles.
 *
 * Gaps are constant, so that no request waits for another unless a run takes over three times as long as usual: queueing is what theory says of the inference's own times, and no
 * cost of the server. Latency counts from the send; how late the generator is, is printed apart. The bare loop, the least server (`bare-server.ts`) and dse's take turns.
 * `around` is a request's latency without its time in the runtime: the way there and back through the kernel, the waking of idle processors, reading, decoding, handing over, answering.
 */
async function measureAdded(name: string, seconds: number): Promise<number> {
  const model = await getModel(name);
  await using bare = await startBareLoop(model.name);
  await using least = await startBareServer('bare-server.ts', model.name);
  await using server = await startOnCpu0({ models: [{ name: 'm', file: model.file, engine: PLAIN_ENGINE }] });
  await using toLeast = await prepareLoad(least, model);
  await using toServer = await prepareLoad(server, model);
  await offer(toLeast, closed(2), 1);
  const rateRps = 0.3 * (await offer(toServer, closed(2), seconds)).achievedRps;
  const bareMs: number[] = [];
  const [leastTimes, serverTimes] = [emptyTimes(), emptyTimes()];
  // The first turn of an open loop compiles its code.
  for (const driver of [toLeast, toServer]) await offer(driver, even(rateRps), seconds);
  for (let round = 0; round < ROUNDS || serverTimes.latencyMs.length < FEWEST_ADDED; round++) {
    bareMs.push(...(await bare.run({ seconds, inputs: 'fresh', everyMs: 1e3 / rateRps })).latenciesMs);
    await addTimes(leastTimes, toLeast, even(rateRps), seconds);
    await addTimes(serverTimes, toServer, even(rateRps), seconds);
  }
  console.log(`${model.name}, ${rateRps.toFixed(1)} requests/s; milliseconds at p50 and p99`);
  printRow('', 'requests', 'latency', 'p99', 'runtime', 'p99', 'around', 'p99', 'sent late', 'p99');
  const bareCells = [percentile(bareMs, 0.5), percentile(bareMs, 0.99)];
  printRow('bare loop', bareMs.length, ...bareCells, ...bareCells);
  printTimes('node:http', leastTimes);
  printTimes('dse', serverTimes);
  const added = (times: Times, share: number) => percentile(times.latencyMs, share) - percentile(bareMs, share);
  const inMs = (ms: number) => `${ms.toFixed(2)} ms`;
  console.log(
    `the server adds ${inMs(added(serverTimes, 0.99))} at p99 (limit ${LIMIT_ADDED_MS}) and ${inMs(added(serverTimes, 0.5))} at p50; ` +
      `the least server ${inMs(added(leastTimes, 0.99))} and ${inMs(added(leastTimes, 0.5))}`,
  );
  return added(serverTimes, 0.99) < LIMIT_ADDED_MS ? 0 : 1;
}

/** Of each request, milliseconds: from the send to the whole reply, in the runtime, and from the intended to the true send. */
interface Times {
  readonly latencyMs: number[];
  readonly runtimeMs: number[];
  readonly lateMs: number[];
}

function emptyTimes(): Times {
  return { latencyMs: [], runtimeMs: [], lateMs: [] };
}

async function addTimes(to: Times, driver: LoadDriver, load: OfferedLoad, seconds: number): Promise<void> {
  const { records, startNs } = await offerAndRecord(driver, load, seconds);
  const { intendedNs, sentNs, doneNs, computeUs, outcome } = records;
  for (const [row, dueNs] of intendedNs.entries()) {
    if (dueNs < startNs || outcome[row] === OUTCOME.unanswered) continue;
    if (outcome[row] !== OUTCOME.ok) throw new Error('a request failed');
    to.latencyMs.push((Number(doneNs[row]) - Number(sentNs[row])) / NS_PER_MS);
    to.runtimeMs.push(Number(computeUs[row]) / US_PER_MS);
    to.lateMs.push((Number(sentNs[row]) - dueNs) / NS_PER_MS);
  }
}

function printTimes(name: string, { latencyMs, runtimeMs, lateMs }: Times): void {
  const aroundMs = latencyMs.map((ms, index) => ms - (runtimeMs[index] ?? Number.NaN));
  const cells = [latencyMs, runtimeMs, aroundMs, lateMs].flatMap((ms) => [percentile(ms, 0.5), percentile(ms, 0.99)]);
  printRow(name, latencyMs.length, ...cells);
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Number.NaN;
}
