/**
 * What a container costs, as ratios against stated limits, for every engine that works here:
 *
 *   - time a launch takes beyond the trial itself: from the call to a server that accepts connections, and from the call to stop to nothing left (median, image already built; limit 2 s);
 *   - throughput and median latency of the same configuration native and in a container with host networking (limits 0.97 to 1.03, and 5 %): both servers are up, and a third, native
 *     again, beside them; each is loaded in short turns whose order moves on from round to round, so that a machine that drifts does so under all of them. The median over the rounds of
 *     the container by the mean of both natives is held against the limits, with its 95 % interval (order statistics) beside it; native by native says what the machine itself makes of two
 *     equal servers;
 *   - CPU time under a quota of 0.25, 0.5 and 1.0 CPU over 5 s of saturation (limit 2 %), of a server whose two threads could use both CPUs, so that nothing but the quota holds it.
 *
 * SqueezeNet 1.1, batch 1, rest-binary; but for the quotas, one thread and CPU 0; the load, a closed loop of four connections, in this process, which moves to CPU 1.
 * One line a figure; ends with 1 where a limit is missed.
 * Needs Linux, two quiet CPUs, a build (`npm run build`) and an engine. Usage: container-overhead.ts [seconds a turn, 0.7] [rounds, 40] [engine, both]
 */
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { EngineSettings } from '../src/engine/index.ts';
import { encodeInferRequest } from '../src/kserve/index.ts';
import {
  createLauncher,
  createRunLabel,
  ensureServerImage,
  type Launcher,
  type Limits,
  onlineCpus,
  type RunningServer,
} from '../src/launch/index.ts';
import { type NamedTensor, type ResolvedModel, resolveModel } from '../src/models/index.ts';
import type { ServerSettings } from '../src/server/index.ts';
import { medianWithin } from './bare-rig.ts';

const LAUNCH_LIMIT_S = 2;
const RATIO_LIMITS = [0.97, 1.03] as const;
const LATENCY_LIMIT = 0.05;
const QUOTA_LIMIT = 0.02;
const QUOTAS = [0.25, 0.5, 1];
const QUOTA_WINDOW_S = 5;
const LAUNCHES = 7;
const CONNECTIONS = 4;
const WARMUP_S = 1;
/** After a turn of another server, until the caches hold this one's model again. */
const SETTLE_S = 0.2;

const oneThread: EngineSettings = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
};

const [seconds = 0.7, rounds = 40] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4];
const model = await resolveModel('squeezenet1.1', 'fp32', {
  baseDir: process.cwd(),
  cacheDir: join(tmpdir(), 'dse-benchmarks'),
});
const sendOne = prepareRequest(model);

let isMissed = false;
const native = createLauncher({ engine: 'native' });
for (const engine of (['docker', 'podman'] as const).filter((one) => only === undefined || one === only)) {
  const launcher = createLauncher({ engine });
  const [problem] = await launcher.check([{ cpuset: '0', cpus: 0.5 }]);
  if (problem !== undefined) {
    console.log(`${engine}: not measured, ${problem.what}`);
    continue;
  }
  await ensureServerImage({ engine }, { signal: new AbortController().signal, onProgress: () => {} });
  await timeLaunches(engine, launcher);
  await compare(engine, launcher);
  for (const cpus of QUOTAS) await checkQuota(engine, launcher, cpus);
}
process.exitCode = isMissed ? 1 : 0;

async function timeLaunches(engine: string, launcher: Launcher): Promise<void> {
  const totals: number[] = [];
  for (let launch = 0; launch < LAUNCHES; launch++) {
    const startMs = performance.now();
    const server = await start(launcher, { cpuset: '0' });
    await sendOne(server.url, new Agent());
    const readyMs = performance.now();
    await server[Symbol.asyncDispose]();
    totals.push((performance.now() - startMs) / 1e3);
    console.log(
      `${engine} launch ${launch + 1}: ready ${round3((readyMs - startMs) / 1e3)} s, in all ${round3(totals.at(-1))} s`,
    );
  }
  judge(
    `${engine} launch and stop`,
    `${round3(medianWithin(totals).median)} s (limit ${LAUNCH_LIMIT_S} s)`,
    medianWithin(totals).median <= LAUNCH_LIMIT_S,
  );
}

async function compare(engine: string, launcher: Launcher): Promise<void> {
  await using alone = await startWarm(native);
  await using again = await startWarm(native);
  await using inside = await startWarm(launcher);
  await using _held = await holdToCpu('1');
  const servers = [alone, again, inside];
  const turns: Turn[][] = [];
  for (let round = 0; round < rounds; round++) {
    const measured: Turn[] = [];
    for (let turn = 0; turn < servers.length; turn++) {
      const which = (round + turn) % servers.length;
      measured[which] = await measure(servers[which] as RunningServer);
    }
    turns.push(measured);
    const texts = measured.map(({ perSecond, p50Ms }) => `${perSecond.toFixed(1)}/s p50 ${round3(p50Ms)} ms`);
    console.log(`${engine} round ${round + 1}: native ${texts[0]}, native again ${texts[1]}, container ${texts[2]}`);
  }
  const ratiosOf = (figure: keyof Turn, of: (one: number, again: number, inside: number) => number) =>
    turns.map((measured) => of(...(measured.map((turn) => turn[figure]) as [number, number, number])));
  const byNative = (one: number, again: number, inside: number) => inside / ((one + again) / 2);
  const ofItself = (one: number, again: number) => again / one;
  const [throughput, latency] = [ratiosOf('perSecond', byNative), ratiosOf('p50Ms', byNative)];
  const [least, most] = RATIO_LIMITS;
  console.log(
    `native by native: throughput ${withInterval(ratiosOf('perSecond', ofItself))}, p50 ${withInterval(ratiosOf('p50Ms', ofItself))}`,
  );
  judge(
    `${engine} throughput`,
    `${withInterval(throughput)} of native (limits ${least} to ${most})`,
    medianWithin(throughput).median >= least && medianWithin(throughput).median <= most,
  );
  judge(
    `${engine} p50`,
    `${withInterval(latency)} of native (limit 1 +- ${LATENCY_LIMIT})`,
    Math.abs(medianWithin(latency).median - 1) <= LATENCY_LIMIT,
  );
}

async function checkQuota(engine: string, launcher: Launcher, cpus: number): Promise<void> {
  await using server = await start(launcher, { cpuset: '0-1', cpus }, { ...oneThread, intraOpThreads: 2 });
  await using _held = await holdToCpu('1');
  const load = startLoad(server.url);
  await sleep(WARMUP_S * 1e3);
  const before = await server.readUsage();
  await sleep(QUOTA_WINDOW_S * 1e3);
  const after = await server.readUsage();
  await load.stop();
  const used =
    (((after.cpuTimeUs ?? Number.NaN) - (before.cpuTimeUs ?? Number.NaN)) * 1e3) / (after.atNs - before.atNs);
  const isMet = Math.abs(used / cpus - 1) <= QUOTA_LIMIT;
  judge(`${engine} quota ${cpus}`, `used ${round3(used)} CPU (limit ${QUOTA_LIMIT * 100} %)`, isMet);
}

interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
}

async function startWarm(launcher: Launcher): Promise<RunningServer> {
  const server = await start(launcher, { cpuset: '0' });
  const load = startLoad(server.url);
  await sleep(WARMUP_S * 1e3);
  await load.stop();
  return server;
}

async function measure(server: RunningServer): Promise<Turn> {
  const load = startLoad(server.url);
  await sleep(SETTLE_S * 1e3);
  load.latenciesMs.length = 0;
  const startMs = performance.now();
  await sleep(seconds * 1e3);
  const latenciesMs = [...load.latenciesMs];
  const elapsedS = (performance.now() - startMs) / 1e3;
  await load.stop();
  return { perSecond: latenciesMs.length / elapsedS, p50Ms: medianWithin(latenciesMs).median };
}

/** Keeps this process, whose load it is, off the servers' CPU; only while they are up, because a CPU that dse itself may not use cannot be asked for. */
async function holdToCpu(cpu: string): Promise<AsyncDisposable> {
  const all = onlineCpus().join();
  const hold = (list: string) => execa('taskset', ['--all-tasks', '--cpu-list', '--pid', list, `${process.pid}`]);
  await hold(cpu);
  return { [Symbol.asyncDispose]: async () => void (await hold(all)) };
}

/** A closed loop that goes on until it is stopped. */
function startLoad(url: string): { latenciesMs: number[]; stop(): Promise<void> } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const latenciesMs: number[] = [];
  let isOver = false;
  const loops = Array.from({ length: CONNECTIONS }, async () => {
    while (!isOver) {
      const startMs = performance.now();
      await sendOne(url, agent);
      latenciesMs.push(performance.now() - startMs);
    }
  });
  return {
    latenciesMs,
    async stop() {
      isOver = true;
      await Promise.all(loops);
      agent.destroy();
    },
  };
}

function prepareRequest({ inputs }: ResolvedModel): (url: string, agent: Agent) => Promise<void> {
  const shape = [1, 3, 224, 224];
  const data = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i));
  const input: NamedTensor = { name: inputs[0]?.name ?? '', type: 'float32', shape, data };
  const { headers, body } = encodeInferRequest('rest-binary', [input]);
  return (url, agent) =>
    new Promise((resolve, reject) => {
      const request = httpRequest(`${url}/v2/models/m/infer`, { method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`the server answered ${response.statusCode}`));
        response.on('end', resolve).resume();
      });
      request.on('error', reject).end(body);
    });
}

function start(launcher: Launcher, limits: Limits, engine = oneThread): Promise<RunningServer> {
  const settings: ServerSettings = {
    models: [{ name: 'm', file: model.file, engine }],
    ...{ host: '127.0.0.1', port: 0, exitOnStdinEnd: true },
  };
  const logFile = join(tmpdir(), 'dse-benchmarks', 'server.log');
  return launcher.start(
    { runLabel: createRunLabel(), settings, limits, logFile, readyTimeoutMs: 30_000 },
    new AbortController().signal,
  );
}

function judge(name: string, text: string, isMet: boolean): void {
  if (!isMet) isMissed = true;
  console.log(`${name}: ${text} ${isMet ? 'met' : 'MISSED'}`);
}

function withInterval(values: readonly number[]): string {
  const { median, lo, hi } = medianWithin(values);
  return `${round3(median)} [${round3(lo)}, ${round3(hi)}]`;
}

function round3(value = Number.NaN): string {
  return value.toFixed(3);
}
