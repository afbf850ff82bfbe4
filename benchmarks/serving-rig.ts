import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { concatRecords, createLoadDriver, type RequestSummary, summarizeRequests } from '../src/load/index.ts';
import type { LoadDriver, OfferedLoad, RequestRecords } from '../src/load/types.ts';
import { type ResolvedModel, resolveModel } from '../src/models/index.ts';
import { compiledEntry } from '../src/package-files.ts';
import type { ListeningLine, ServerSettings, ServingSettings } from '../src/server/index.ts';
import type { Popularity } from '../src/spec/types.ts';
import { NS_PER_MS } from '../src/units.ts';

/** A server on CPU 0 and a load generator on CPU 1, for benchmarks of the server's own options. */

export const PLAIN_ENGINE = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
} as const;

const TIMEOUT_MS = 10_000;

export function getModel(name: string): Promise<ResolvedModel> {
  return resolveModel(name, 'fp32', { baseDir: process.cwd(), cacheDir: join(tmpdir(), 'dse-benchmarks') });
}

export interface BenchServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

export async function startOnCpu0(
  settings: Omit<ServerSettings, 'host' | 'port' | 'exitOnStdinEnd'>,
): Promise<BenchServer> {
  const told: ServerSettings = { ...settings, host: '127.0.0.1', port: 0, exitOnStdinEnd: true };
  const args = ['-c', '0', process.execPath, compiledEntry('server/main'), JSON.stringify(told)];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url: (JSON.parse(line) as ListeningLine).url,
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Serves one model as said and offers it loads, one after the other. */
export async function measureServed(
  model: ResolvedModel,
  serving: Omit<ServingSettings, 'engine'>,
  loads: readonly OfferedLoad[],
  seconds: number,
  workload: { readonly popularity?: Popularity; readonly distinct?: number } = {},
): Promise<RequestSummary[]> {
  await using server = await startOnCpu0({
    models: [{ name: 'm', file: model.file, engine: PLAIN_ENGINE, ...serving }],
  });
  await using driver = await createLoadDriver({ cpuset: '1' });
  const target = { kind: 'kserve', url: server.url, modelName: 'm', protocol: 'rest-binary', batch: 1 } as const;
  await driver.prepare(
    { ...target, inputs: model.inputs, dims: model.dims, dataset: undefined, seed: 1, ...workload },
    { timeoutMs: TIMEOUT_MS },
  );
  const summaries: RequestSummary[] = [];
  await offer(driver, { kind: 'closed', concurrency: 2 }, 1);
  for (const load of loads) summaries.push(await offer(driver, load, seconds));
  return summaries;
}

export async function offer(driver: LoadDriver, load: OfferedLoad, seconds: number): Promise<RequestSummary> {
  const batches: RequestRecords[] = [];
  const run = await driver.start(load, (records) => batches.push(records));
  await sleep(seconds * 1e3);
  const endNs = run.startedAtNs + seconds * 1e3 * NS_PER_MS;
  await run.stop();
  // The first tenth is left out: caches fill and batches form.
  const startNs = run.startedAtNs + (seconds / 10) * 1e3 * NS_PER_MS;
  return summarizeRequests(concatRecords(batches), { startNs, endNs, timeoutMs: TIMEOUT_MS });
}

export function pinSelf(): void {
  execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
}

export function printRow(...cells: readonly (string | number)[]): void {
  console.log(
    cells
      .map((cell) => (typeof cell === 'number' ? Number(cell.toPrecision(4)).toString() : cell).padStart(11))
      .join(' '),
  );
}

export function medianOf(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? Number.NaN;
}
