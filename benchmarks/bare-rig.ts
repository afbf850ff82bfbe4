import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NS_PER_MS } from '../src/units.ts';
import { medianOf } from './serving-rig.ts';

/** A bare loop of inferences on CPU 0 that takes turns with a server, and what is made of such turns. */

export interface BareCommand {
  readonly seconds: number;
  readonly inputs: 'fresh' | 'same';
  /** From one start to the next; as fast as it can where absent. */
  readonly everyMs?: number;
}

export interface BareBlock {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly cpuMsEach: number;
  /** Of each run, in their order. */
  readonly latenciesMs: readonly number[];
}

export interface BareLoop extends AsyncDisposable {
  run(command: BareCommand): Promise<BareBlock>;
}

/** Runs nothing until it is told to. */
export async function startBareLoop(modelName: string): Promise<BareLoop> {
  const script = fileURLToPath(new URL('bare-loop.ts', import.meta.url));
  const child = spawn('taskset', ['-c', '0', process.execPath, ...process.execArgv, script, modelName], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const nextLine = async () => (await once(lines, 'line')) as [string];
  await nextLine();
  return {
    async run(command) {
      const answer = nextLine();
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return JSON.parse((await answer)[0]) as BareBlock;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

/** Starts `echo-server.ts` on CPU 0. */
export async function startEchoServer() {
  const path = fileURLToPath(new URL('echo-server.ts', import.meta.url));
  const child = spawn('taskset', ['-c', '0', process.execPath, ...process.execArgv, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url,
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}

/** CPU time of all threads of a process so far, milliseconds. Source: Linux, Documentation/scheduler/sched-stats.rst, /proc/[pid]/task/[tid]/schedstat. */
export function cpuTimeMs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const ns = readdirSync(tasks).map((tid) => Number(readFileSync(`${tasks}/${tid}/schedstat`, 'utf8').split(' ')[0]));
  return ns.reduce((sum, one) => sum + one, 0) / NS_PER_MS;
}

/** Median with the order statistics that hold the median of its distribution between them in 95 of 100 cases (normal approximation of the sign test). */
export function medianWithin(values: readonly number[]): {
  readonly median: number;
  readonly lo: number;
  readonly hi: number;
} {
  const ascending = values.toSorted((a, b) => a - b);
  const below = Math.max(0, Math.floor((ascending.length - 1.96 * Math.sqrt(ascending.length)) / 2));
  return {
    median: medianOf(ascending),
    lo: ascending[below] ?? Number.NaN,
    hi: ascending[ascending.length - 1 - below] ?? Number.NaN,
  };
}
