/**
 * What the server's own options cost and give, rest-binary, batch 1 in a request, one thread; the server on CPU 0, the load on CPU 1.
 *
 * - `batching [MODEL]`: throughput of dynamic batching without a delay over that without batching, for a closed loop of one client and of eight, in pairs of short turns: the median
 *   ratio and its interval of 95 %. Batching is free where neither interval lies below 1, nor a median below 0.97.
 * - `table MODEL`: throughput (closed loop of 16) and p99 (open loop at 60 % of what the same options carry in closed loop) over sizes and delays.
 * - `cache`: throughput of answers that are remembered over those that are not, SqueezeNet 1.1, closed loop of 4; the limit is 20.
 * - `added [MODEL]`: what the server adds to a bare inference at p99, at 30 % of capacity, its code compiled; the limit is 1 ms.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: serving-options.ts batching|table|cache|added [model] [seconds a run]
 */
import { type LoadDriver, type OfferedLoad, OUTCOME } from '../src/load/types.ts';
import type { ServingSettings } from '../src/server/index.ts';
import { NS_PER_MS, US_PER_MS } from '../src/units.ts';
import { medianWithin, startBareLoop } from './bare-rig.ts';
import { compileBy, lightTwinOf, ON_THREADS } from './light-twin.ts';
import {
  aimAt,
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
const ADDED_ROUNDS = 9;
/** Of each turn of a round: a 99th percentile needs 662. */
const ADDED_REQUESTS = 700;

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
    printRow(clients, ...medians, ` ${within({ median, lo, hi })}`);
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
 * What a request takes at 30 % load beyond the same inference at the same gaps without a server: the difference of the 99th percentiles of two turns that follow each other, the order
 * reversed from round to round; the median of the rounds and its interval of 95 %.
 *
 * Gaps are constant, so that no request waits for another unless a run takes over three times as long as usual: queueing is what theory says of the inference's own times, and no
 * cost of the server. Latency counts from the send; how late the generator is, is printed apart.
 * `around` is a request's latency without its time in the runtime: the way there and back through the kernel, the waking of idle processors, reading, decoding, handing over, answering.
 */
async function measureAdded(name: string, seconds: number): Promise<number> {
  const model = await getModel(name);
  const twin = await lightTwinOf(model);
  await using bare = await startBareLoop(model.name);
  await using server = await startOnCpu0({
    models: [
      { name: 'm', file: model.file, engine: PLAIN_ENGINE },
      { name: 'twin', file: twin.file, ...ON_THREADS },
    ],
  });
  await using driver = await prepareLoad(server, model);
  await aimAt(driver, server, 'twin', model);
  await compileBy(driver);
  await aimAt(driver, server, 'm', model);
  const rateRps = 0.3 * (await offer(driver, closed(2), seconds)).achievedRps;
  const turnS = Math.max(seconds, (1.2 * ADDED_REQUESTS) / rateRps);
  // The first turn of an open loop compiles the generator's code.
  await offer(driver, even(rateRps), seconds);
  const runBare = async () => (await bare.run({ seconds: turnS, inputs: 'fresh', everyMs: 1e3 / rateRps })).latenciesMs;
  const runServed = () => timesOf(driver, even(rateRps), turnS);
  const rounds: { readonly bareMs: readonly number[]; readonly served: Times }[] = [];
  for (let round = 0; round < ADDED_ROUNDS; round++) {
    const first = round % 2 === 0 ? await runBare() : undefined;
    const served = await runServed();
    rounds.push({ served, bareMs: first ?? (await runBare()) });
  }
  console.log(`${model.name}, ${rateRps.toFixed(1)} requests/s; milliseconds at p50 and p99`);
  printRow('', 'requests', 'latency', 'p99', 'runtime', 'p99', 'around', 'p99', 'sent late', 'p99');
  const bareMs = rounds.flatMap((round) => round.bareMs);
  const bareCells = [percentile(bareMs, 0.5), percentile(bareMs, 0.99)];
  printRow('bare loop', bareMs.length, ...bareCells, ...bareCells);
  printTimes(rounds.flatMap(({ served }) => served));
  const addedAt = (share: number) =>
    medianWithin(
      rounds.map(
        (round) =>
          percentile(
            round.served.map((one) => one.latencyMs),
            share,
          ) - percentile(round.bareMs, share),
      ),
    );
  const [p50, p99] = [addedAt(0.5), addedAt(0.99)];
  console.log(`the server adds ${within(p99)} ms at p99 (limit ${LIMIT_ADDED_MS}) and ${within(p50)} ms at p50`);
  return p99.median < LIMIT_ADDED_MS ? 0 : 1;
}

/** Of each request, milliseconds: from the send to the whole reply, in the runtime, and from the intended to the true send. */
type Times = readonly { readonly latencyMs: number; readonly runtimeMs: number; readonly lateMs: number }[];

async function timesOf(driver: LoadDriver, load: OfferedLoad, seconds: number): Promise<Times> {
  const { records, startNs } = await offerAndRecord(driver, load, seconds);
  const { intendedNs, sentNs, doneNs, computeUs, outcome } = records;
  const answered = [...intendedNs.keys()].filter(
    (row) => Number(intendedNs[row]) >= startNs && outcome[row] !== OUTCOME.unanswered,
  );
  return answered.map((row) => {
    if (outcome[row] !== OUTCOME.ok) throw new Error('a request failed');
    return {
      latencyMs: (Number(doneNs[row]) - Number(sentNs[row])) / NS_PER_MS,
      runtimeMs: Number(computeUs[row]) / US_PER_MS,
      lateMs: (Number(sentNs[row]) - Number(intendedNs[row])) / NS_PER_MS,
    };
  });
}

function printTimes(times: Times): void {
  const columns = [
    times.map(({ latencyMs }) => latencyMs),
    times.map(({ runtimeMs }) => runtimeMs),
    times.map(({ latencyMs, runtimeMs }) => latencyMs - runtimeMs),
    times.map(({ lateMs }) => lateMs),
  ];
  printRow('dse', times.length, ...columns.flatMap((ms) => [percentile(ms, 0.5), percentile(ms, 0.99)]));
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Number.NaN;
}

function within({ median, lo, hi }: ReturnType<typeof medianWithin>): string {
  return `${median.toFixed(3)} [${lo.toFixed(3)}, ${hi.toFixed(3)}]`;
}
