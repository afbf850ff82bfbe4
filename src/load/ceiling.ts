import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadError } from '../errors.ts';
import { compiledEntry } from '../package-files.ts';
import { NS_PER_US } from '../units.ts';
import { lostShare, readCpuLoss } from './cpu-loss.ts';
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
  /** How often a rate is tried while the machine keeps disturbing it. */
  readonly attempts?: number;
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
  /** Share of the requests that were answered well. */
  readonly answeredShare: number;
  /** CPUs the generator was busy with, time in a spin left out. */
  readonly busyCpus: number;
  /** Share of the step (0 to 1) in which other processes or a hypervisor kept generator and server from running, of both together; 0 where the system does not tell. */
  readonly cpuLostShare: number;
  /** Whether the rate was missed and the lost time is enough to explain it: the step then says nothing of the generator. */
  readonly isDisturbed: boolean;
  /** Whether the rate was offered as asked: at most 1 % late or waiting, at most 0.8 CPUs busy, at least 99 % answered. */
  readonly isHeld: boolean;
}

export interface GeneratorCeiling {
  /** The highest rate held below the first that the generator itself missed, requests/s; 0 where none was. A disturbed step counts as neither. */
  readonly ceilingRps: number;
  /** The last attempt at each rate. */
  readonly steps: readonly CeilingStep[];
}

const MOST_LATE = 0.01;
const MOST_BUSY_CPUS = 0.8;
const LEAST_ANSWERED = 0.99;
/** Uncounted load before the first step, so that its code is compiled as it is in a trial after its warm-up. */
const WARM_UP = { rateRps: 2000, seconds: 0.5 };
/** The first moments of a load open connections. */
const SETTLE_S = 0.3;
/** Late sends are explained by lost time where they are at most so many times its share: a stall makes those late that fall into it, and those that queue behind. */
const LATE_PER_LOST = 2;
const TIMEOUT_MS = 5000;

/**
 * Measures up to which rate this machine's generator sends on time, against a server that answers at once.
 *
 * Takes about a second a rate and attempt; stops at the second rate in a row that the generator itself missed. A rate that was missed while other processes or a hypervisor took the
 * CPUs away is tried again, and left undecided where they do so each time.
 * @throws LoadError where the generator or the server does not start
 */
export async function measureGeneratorCeiling(options: CeilingOptions = {}): Promise<GeneratorCeiling> {
  const { ratesRps = [500, 1000, 2000, 4000, 8000], stepS = 1, attempts = 3 } = options;
  await using server = await startNullServer(options.serverCpuset);
  await using driver = await createLoadDriver(
    options.generatorCpuset === undefined ? {} : { cpuset: options.generatorCpuset },
  );
  await driver.prepare(
    { kind: 'http', url: server.url, method: 'GET', headers: {}, body: undefined },
    { timeoutMs: TIMEOUT_MS },
  );
  const rig: Rig = { driver, server, connections: options.connections ?? 64, ...options };
  await measureStep(rig, WARM_UP.rateRps, WARM_UP.seconds);
  const steps: CeilingStep[] = [];
  for (const rateRps of ratesRps) {
    let step = await measureStep(rig, rateRps, stepS);
    for (let attempt = 1; attempt < attempts && step.isDisturbed; attempt++) {
      step = await measureStep(rig, rateRps, stepS);
    }
    steps.push(step);
    if (steps.slice(-2).filter(isMissed).length === 2) break;
  }
  return { ceilingRps: ceilingOf(steps), steps };
}

/** The highest rate held below the first that was missed; steps in ascending order of rate. */
export function ceilingOf(steps: readonly CeilingStep[]): number {
  const firstMissed = steps.findIndex(isMissed);
  const tried = firstMissed === -1 ? steps : steps.slice(0, firstMissed);
  return tried.filter(({ isHeld }) => isHeld).at(-1)?.rateRps ?? 0;
}

function isMissed({ isHeld, isDisturbed }: CeilingStep): boolean {
  return !isHeld && !isDisturbed;
}

interface Rig {
  readonly driver: LoadDriver;
  readonly server: { readonly pid: number };
  readonly connections: number;
  readonly generatorCpuset?: string;
  readonly serverCpuset?: string;
}

async function measureStep(rig: Rig, rateRps: number, stepS: number): Promise<CeilingStep> {
  const { driver, server, connections, generatorCpuset, serverCpuset } = rig;
  const load: OfferedLoad = { kind: 'open', rateRps, arrivals: 'poisson', seed: 1, connections };
  const readLosses = () => [readCpuLoss(driver.pid, generatorCpuset), readCpuLoss(server.pid, serverCpuset)] as const;
  const batches: RequestRecords[] = [];
  const run = await driver.start(load, (records) => batches.push(records));
  await sleep(SETTLE_S * 1000);
  const [before, lossesBefore] = [await driver.readUsage(), readLosses()];
  await sleep(stepS * 1000);
  const [after, lossesAfter] = [await driver.readUsage(), readLosses()];
  await run.stop();
  const window = { startNs: before.atNs, endNs: after.atNs, timeoutMs: TIMEOUT_MS };
  const summary = summarizeRequests(concatRecords(batches), window);
  const busyUs = after.cpuTimeUs - after.spinTimeUs - (before.cpuTimeUs - before.spinTimeUs);
  const { offeredRps, achievedRps, lateShare, waitedShare, responses } = summary;
  return judgeStep({
    rateRps,
    offeredRps,
    achievedRps,
    lagP50Ms: responses.send_lag_p50_ms,
    lagP99Ms: responses.send_lag_p99_ms,
    lateShare,
    waitedShare,
    answeredShare: summary.requests === 0 ? 0 : summary.outcomes.ok / summary.requests,
    busyCpus: busyUs / ((after.atNs - before.atNs) / NS_PER_US),
    cpuLostShare: Math.min(1, lostShare(lossesBefore[0], lossesAfter[0]) + lostShare(lossesBefore[1], lossesAfter[1])),
  });
}

/** Whether a step was held and, where it was not, whether what the machine took away explains it. */
export function judgeStep(figures: Omit<CeilingStep, 'isHeld' | 'isDisturbed'>): CeilingStep {
  const { lateShare, waitedShare, answeredShare, busyCpus, cpuLostShare } = figures;
  const isUnpunctual = lateShare + waitedShare > MOST_LATE;
  const isOutOfBreath = busyCpus > MOST_BUSY_CPUS || answeredShare < LEAST_ANSWERED;
  const isHeld = !isUnpunctual && !isOutOfBreath;
  return {
    ...figures,
    isHeld,
    isDisturbed: isUnpunctual && !isOutOfBreath && lateShare + waitedShare <= LATE_PER_LOST * cpuLostShare,
  };
}

async function startNullServer(
  cpuset: string | undefined,
): Promise<AsyncDisposable & { readonly url: string; readonly pid: number }> {
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
    pid: child.pid as number,
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await exit;
    },
  };
}
