import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadError } from '../errors.ts';
import { compiledEntry } from '../package-files.ts';
import { NS_PER_US } from '../units.ts';
import { createLoadDriver } from './driver.ts';
import { concatRecords } from './records.ts';
import { summarizeRequests } from './summary.ts';
import type { LoadDriver, OfferedLoad, RequestRecords } from './types.ts';

export interface CeilingOptions {
  /** CPUs of the generator and of the null server, in the kernel's list format. Absent: wherever the system puts them. */
  readonly generatorCpuset?: string;
  readonly serverCpuset?: string;
  /** Poisson rates that are tried in turn, ascending, requests/s. */
  readonly ratesRps?: readonly number[];
  /** How long each rate is held, seconds. */
  readonly stepS?: number;
  readonly connections?: number;
}

/** How the generator kept up with one rate. */
export interface CeilingStep {
  readonly rateRps: number;
  readonly offeredRps: number;
  readonly achievedRps: number;
  /** Intended to sent, of the requests that found a client free; absent below their minimum sample. */
  readonly lagP50Ms: number | undefined;
  readonly lagP99Ms: number | undefined;
  /** Shares (0 to 1) of requests that left over 1 ms late, and that found no client free. */
  readonly lateShare: number;
  readonly waitedShare: number;
  /** CPUs the generator was busy with, time in a spin left out. */
  readonly busyCpus: number;
  /** Whether the rate was offered as asked: at most 1 % late or waiting, at most 0.8 CPUs busy, at least 99 % answered. */
  readonly isHeld: boolean;
}

export interface GeneratorCeiling {
  /** The highest rate up to which every rate tried was held, requests/s; 0 where none was. */
  readonly ceilingRps: number;
  readonly steps: readonly CeilingStep[];
}

const MOST_LATE = 0.01;
const MOST_BUSY_CPUS = 0.8;
const LEAST_ANSWERED = 0.99;
/** The first moments of a load carry compilation, not its lag. */
const SETTLE_S = 0.5;
const TIMEOUT_MS = 5000;

/**
 * Measures up to which rate this machine's generator sends on time, against a server that answers at once.
 *
 * Takes about a second a rate; stops at the second rate in a row that is not held.
 * @throws LoadError where the generator or the server does not start
 */
export async function measureGeneratorCeiling(options: CeilingOptions = {}): Promise<GeneratorCeiling> {
  const { ratesRps = [500, 1000, 2000, 4000, 8000], stepS = 1 } = options;
  await using server = await startNullServer(options.serverCpuset);
  await using driver = await createLoadDriver(
    options.generatorCpuset === undefined ? {} : { cpuset: options.generatorCpuset },
  );
  await driver.prepare(
    { kind: 'http', url: server.url, method: 'GET', headers: {}, body: undefined },
    { timeoutMs: TIMEOUT_MS },
  );
  const steps: CeilingStep[] = [];
  for (const rateRps of ratesRps) {
    steps.push(await measureStep(driver, rateRps, stepS, options.connections ?? 64));
    if (steps.slice(-2).filter(({ isHeld }) => !isHeld).length === 2) break;
  }
  const firstMissed = steps.findIndex(({ isHeld }) => !isHeld);
  const held = firstMissed === -1 ? steps : steps.slice(0, firstMissed);
  return { ceilingRps: held.at(-1)?.rateRps ?? 0, steps };
}

async function measureStep(
  driver: LoadDriver,
  rateRps: number,
  stepS: number,
  connections: number,
): Promise<CeilingStep> {
  const load: OfferedLoad = { kind: 'open', rateRps, arrivals: 'poisson', seed: 1, connections };
  const batches: RequestRecords[] = [];
  const run = await driver.start(load, (records) => batches.push(records));
  await sleep(SETTLE_S * 1000);
  const before = await driver.readUsage();
  await sleep(stepS * 1000);
  const after = await driver.readUsage();
  await run.stop();
  const window = { startNs: before.atNs, endNs: after.atNs, timeoutMs: TIMEOUT_MS };
  const summary = summarizeRequests(concatRecords(batches), window);
  const busyUs = after.cpuTimeUs - after.spinTimeUs - (before.cpuTimeUs - before.spinTimeUs);
  const busyCpus = busyUs / ((after.atNs - before.atNs) / NS_PER_US);
  const { offeredRps, achievedRps, lateShare, waitedShare, responses } = summary;
  return {
    rateRps,
    offeredRps,
    achievedRps,
    lagP50Ms: responses.send_lag_p50_ms,
    lagP99Ms: responses.send_lag_p99_ms,
    lateShare,
    waitedShare,
    busyCpus,
    isHeld:
      lateShare + waitedShare <= MOST_LATE &&
      busyCpus <= MOST_BUSY_CPUS &&
      summary.outcomes.ok >= LEAST_ANSWERED * summary.requests,
  };
}

async function startNullServer(cpuset: string | undefined): Promise<AsyncDisposable & { readonly url: string }> {
  const node = [process.execPath, compiledEntry('load/null-server')];
  const [command = '', ...args] = cpuset === undefined ? node : ['taskset', '-c', cpuset, ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exit = once(child, 'exit');
  const [message] = await Promise.race([
    once(child, 'message') as Promise<[{ url: string }]>,
    exit.then(([code]) => {
      throw new LoadError({
        where: cpuset === undefined ? 'null server' : `null server on CPUs ${cpuset}`,
        what: `the server that the generator is measured against ended with code ${code}`,
        hint: 'Choose CPUs that exist here and that this process may use.',
      });
    }),
  ]);
  return {
    url: message.url,
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await exit;
    },
  };
}
