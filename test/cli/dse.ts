import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll } from 'vitest';
import { packageFile } from '../../src/package-files.ts';

/** Other test runs on this machine are none of this one's business. */
const cpuLocks = path.join(tmpdir(), `dse-test-cpus-${process.pid}`);
afterAll(() => rm(cpuLocks, { recursive: true, force: true }));

/** A folder of its own for one test, removed afterwards. */
export async function scratchFolder(): Promise<
  AsyncDisposable & { readonly dir: string; file(name: string, text: string): Promise<string> }
> {
  const dir = await mkdtemp(path.join(tmpdir(), 'dse-test-'));
  return {
    dir,
    file: async (name, text) => {
      const file = path.join(dir, name);
      await writeFile(file, text);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Starts the real command line in a folder; never rejects for a non-zero exit code. */
export function dse(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  return execa(process.execPath, [packageFile('bin/dse.js'), ...args], {
    reject: false,
    cwd: options.cwd ?? tmpdir(),
    env: { NO_COLOR: '1', DSE_CPU_LOCKS: cpuLocks, ...options.env },
    timeout: 120_000,
  });
}

/** A small experiment on the trained model: one second a trial, closed and open loop. */
export function smallSpec(batches: readonly number[] = [1, 2]): string {
  return `
name: small
design: { method: full-factorial, replicates: 1, seed: 7 }
factors:
  batch: [${batches.join(', ')}]
  load: [light, pair]
fixed: { model: mnist-cnn, threads: 1 }
loads:
  light: { utilization: 0.3 }
  pair: { concurrency: 2 }
measure: { warmup: 500ms, window: 1s, windows: 1, calibration: 500ms, idle_gate: 0s }
energy: { idle: 500ms }
objectives: [ { minimize: latency_mean_ms }, { maximize: throughput_ips } ]
contexts: [load]
`;
}
