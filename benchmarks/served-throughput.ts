/**
 * What the server adds to the inference: each protocol as a ratio of a bare onnxruntime loop on the same CPU.
 *
 * Batch 1, one thread, no spinning. The bare loop (`bare-loop.ts`, every input in new memory) and the server take turns of a second on CPU 0; the load is dse's own generator on
 * CPU 1. A ratio is of two turns that follow each other, so that what slows the machine for longer slows both; the order of the turns is reversed from round to round.
 * Each protocol has a server of its own, whose code has been compiled before, by some thousand requests for a model of the same inputs that hardly computes (`light-twin.ts`).
 * Of each protocol: throughput in a closed loop of two clients over that of the bare loop; the median latency of one client over a bare run; CPU time of the server's process
 * per request over that of a bare run. Medians over the rounds, with intervals of 95 %; `same` is a bare loop on one tensor that never leaves the cache. With `image` the server
 * also decodes and resizes a JPEG of 500 x 375 for each inference.
 *
 * Ends with 1 where SqueezeNet's throughput misses a limit (rest-binary 0.97, gRPC 0.85).
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: served-throughput.ts [protocols, rest-binary,grpc,rest-json,image] [rounds, 10] [model, squeezenet1.1]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { concatRecords, createLoadDriver } from '../src/load/index.ts';
import { type LoadDriver, OUTCOME, type Protocol, type RequestRecords } from '../src/load/types.ts';
import type { ResolvedModel } from '../src/models/index.ts';
import { monotonicNs, NS_PER_MS, NS_PER_S } from '../src/units.ts';
import { type BareBlock, type BareLoop, cpuTimeMs, medianWithin, startBareLoop } from './bare-rig.ts';
import { compileBy, lightTwinOf, ON_THREADS } from './light-twin.ts';
import { type BenchServer, getModel, medianOf, PLAIN_ENGINE, pinSelf, printRow, startOnCpu0 } from './serving-rig.ts';

const LIMITS: Partial<Record<Protocol, number>> = { 'rest-binary': 0.97, grpc: 0.85 };
const LIMITS_OF = 'squeezenet1.1';
const TURN_S = 1;
/** Left out at the beginning of a turn: connections open, and the pipeline fills. */
const LEAD_S = 0.15;
const TIMEOUT_MS = 10_000;

const [protocolList = 'rest-binary,grpc,rest-json,image', roundsText = '10', modelName = LIMITS_OF] =
  process.argv.slice(2);
pinSelf();
process.exitCode = await compare(protocolList.split(',') as Protocol[], Number(roundsText), await getModel(modelName));

/** A server for each protocol, as a trial of a sweep has it, and a load driver made ready for it. */
interface Contender {
  readonly protocol: Protocol;
  readonly server: BenchServer;
  readonly driver: LoadDriver;
  readonly turns: { readonly served: Turn; readonly bare: BareBlock }[];
}

interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly cpuMsEach: number;
}

async function compare(protocols: readonly Protocol[], rounds: number, model: ResolvedModel): Promise<number> {
  const twin = await lightTwinOf(model);
  await using bare = await startBareLoop(model.name);
  const contenders: Contender[] = [];
  const same: number[] = [];
  try {
    for (const protocol of protocols) {
      const server = await startServer(model, twin.file);
      contenders.push({ protocol, server, driver: await prepareDriver(server, model, protocol), turns: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        contender.turns.push(await takeTurns(bare, contender, round % 2 === 0));
      }
      const [fresh, warm] = [await bare.run(turnOf('fresh')), await bare.run(turnOf('same'))];
      same.push(warm.perSecond / fresh.perSecond);
    }
  } finally {
    for (const { driver, server } of contenders) {
      await driver[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    }
  }
  return print(contenders, same, model.name);
}

function startServer(model: ResolvedModel, twin: string): Promise<BenchServer> {
  return startOnCpu0({
    models: [
      { name: 'm', file: model.file, engine: PLAIN_ENGINE, image: model.image },
      { name: 'twin', file: twin, image: model.image, ...ON_THREADS },
    ],
    grpcPort: 0,
  });
}

function turnOf(inputs: 'fresh' | 'same') {
  return { seconds: TURN_S, inputs } as const;
}

/** The server first answers some thousand requests for the light twin by the same protocol: one that runs all day has its own code compiled. */
async function prepareDriver(server: BenchServer, model: ResolvedModel, protocol: Protocol): Promise<LoadDriver> {
  const driver = await createLoadDriver({ cpuset: '1' });
  const { url, grpcAddress } = server;
  const target = { kind: 'kserve', url, grpcAddress, protocol, batch: 1, seed: 1, dataset: undefined } as const;
  const options = { timeoutMs: TIMEOUT_MS };
  await driver.prepare({ ...target, modelName: 'twin', ...inputsOf(model) }, options);
  await compileBy(driver);
  await driver.prepare({ ...target, modelName: 'm', ...inputsOf(model) }, options);
  await loadFor(driver, server, 2, TURN_S);
  return driver;
}

function inputsOf({ inputs, dims, image }: ResolvedModel) {
  return { inputs, dims, image };
}

async function takeTurns(bare: BareLoop, { server, driver }: Contender, isBareFirst: boolean) {
  const first = isBareFirst ? await bare.run(turnOf('fresh')) : undefined;
  const full = await loadFor(driver, server, 2, TURN_S);
  const alone = await loadFor(driver, server, 1, TURN_S / 2);
  const served: Turn = { ...full, p50Ms: alone.p50Ms };
  return { served, bare: first ?? (await bare.run(turnOf('fresh'))) };
}

/** A closed loop of some clients; throughput is taken between the first and the last answer of the turn. */
async function loadFor(driver: LoadDriver, server: BenchServer, concurrency: number, seconds: number): Promise<Turn> {
  const batches: RequestRecords[] = [];
  const run = await driver.start({ kind: 'closed', concurrency }, (records) => batches.push(records));
  await sleep(1e3 * LEAD_S);
  const [startNs, cpuBefore] = [monotonicNs(), cpuTimeMs(server.pid)];
  await sleep(1e3 * seconds);
  const [endNs, cpuAfter] = [monotonicNs(), cpuTimeMs(server.pid)];
  await run.stop();
  const { doneNs, sentNs, outcome } = concatRecords(batches);
  if (outcome.some((one) => one !== OUTCOME.ok)) throw new Error('a request failed');
  const rows = [...doneNs.keys()].filter((row) => Number(doneNs[row]) >= startNs && Number(doneNs[row]) < endNs);
  const ends = rows.map((row) => Number(doneNs[row]));
  return {
    perSecond: (rows.length - 1) / ((Math.max(...ends) - Math.min(...ends)) / NS_PER_S),
    p50Ms: medianOf(rows.map((row) => (Number(doneNs[row]) - Number(sentNs[row])) / NS_PER_MS)),
    cpuMsEach: (cpuAfter - cpuBefore) / rows.length,
  };
}

function print(contenders: readonly Contender[], same: readonly number[], name: string): number {
  const all = contenders.flatMap(({ turns }) => turns.map(({ bare }) => bare));
  const bareMs = medianOf(all.map(({ p50Ms }) => p50Ms));
  console.log(
    `${name}, bare loop: ${medianOf(all.map(({ perSecond }) => perSecond)).toFixed(1)}/s, ${bareMs.toFixed(3)} ms a run, ${medianOf(all.map(({ cpuMsEach }) => cpuMsEach)).toFixed(3)} ms CPU; same tensor ${ratioText(same)}`,
  );
  printRow('protocol', 'per s', 'p50 ms', 'CPU ms', ' throughput / bare', 'p50 / bare', 'CPU / bare');
  let isMissed = false;
  for (const { protocol, turns } of contenders) {
    const throughput = turns.map(({ served, bare }) => served.perSecond / bare.perSecond);
    const latency = turns.map(({ served, bare }) => served.p50Ms / bare.p50Ms);
    const cpu = turns.map(({ served, bare }) => served.cpuMsEach / bare.cpuMsEach);
    const served = turns.map((turn) => turn.served);
    const limit = name === LIMITS_OF ? LIMITS[protocol] : undefined;
    isMissed ||= limit !== undefined && medianOf(throughput) < limit;
    printRow(
      protocol,
      medianOf(served.map(({ perSecond }) => perSecond)),
      medianOf(served.map(({ p50Ms }) => p50Ms)),
      medianOf(served.map(({ cpuMsEach }) => cpuMsEach)),
      `  ${ratioText(throughput)}`,
      `  ${ratioText(latency)}`,
      `  ${ratioText(cpu)}${limit === undefined ? '' : `  (throughput's limit ${limit})`}`,
    );
  }
  return isMissed ? 1 : 0;
}

function ratioText(ratios: readonly number[]): string {
  const { median, lo, hi } = medianWithin(ratios);
  return `${median.toFixed(3)} [${lo.toFixed(3)}, ${hi.toFixed(3)}]`;
}
