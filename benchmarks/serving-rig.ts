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
  /** Host and port of the gRPC side, where it was asked for. */
  readonly grpcAddress: string | undefined;
  readonly pid: number;
}

export async function startOnCpu0(
  settings: Omit<ServerSettings, 'host' | 'port' | 'exitOnStdinEnd'>,
): Promise<BenchServer> {
  const told: ServerSettings = { ...settings, host: '127.0.0.1', port: 0, exitOnStdinEnd: true };
  const args = ['-c', '0', process.execPath, compiledEntry('server/main'), JSON.stringify(told)];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url, grpcAddress } = JSON.parse(line) as ListeningLine;
  return {
    ...{ url, grpcAddress },
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
  await using driver = await prepareLoad(server, model, workload);
  const summaries: RequestSummary[] = [];
  await offer(driver, { kind: 'closed', concurrency: 2 }, 1);
  for (const load of loads) summaries.push(await offer(driver, load, seconds));
  return summaries;
}

export async function offer(driver: LoadDriver, load: OfferedLoad, seconds: number): Promise<RequestSummary> {
  const { records, ...window } = await offerAndRecord(driver, load, seconds);
  return summarizeRequests(records, { ...window, timeoutMs: TIMEOUT_MS });
}

/** Every request of a load, and the window that is looked at: the first tenth is left out, because caches fill and batches form. */
export async function offerAndRecord(
  driver: LoadDriver,
  load: OfferedLoad,
  seconds: number,
): Promise<{ readonly records: RequestRecords; readonly startNs: number; readonly endNs: number }> {
  const batches: RequestRecords[] = [];
  const run = await driver.start(load, (records) => batches.push(records));
  await sleep(seconds * 1e3);
  await run.stop();
  const startNs = run.startedAtNs + (seconds / 10) * 1e3 * NS_PER_MS;
  return { records: concatRecords(batches), startNs, endNs: run.startedAtNs + seconds * 1e3 * NS_PER_MS };
}

/** A load generator on CPU 1 for the model `m` of a server, over rest-binary. */
export async function prepareLoad(
  server: Pick<BenchServer, 'url'>,
  model: ResolvedModel,
  workload: { readonly popularity?: Popularity; readonly distinct?: number } = {},
): Promise<LoadDriver> {
  const driver = await createLoadDriver({ cpuset: '1' });
  await aimAt(driver, server, 'm', model, workload);
  return driver;
}

/** Prepares a load generator for a model of a server that takes the inputs of another, over rest-binary. */
export async function aimAt(
  driver: LoadDriver,
  { url }: Pick<BenchServer, 'url'>,
  modelName: string,
  { inputs, dims }: ResolvedModel,
  workload: { readonly popularity?: Popularity; readonly distinct?: number } = {},
): Promise<void> {
  const target = { kind: 'kserve', url, modelName, protocol: 'rest-binary', batch: 1, seed: 1 } as const;
  await driver.prepare({ ...target, inputs, dims, dataset: undefined, ...workload }, { timeoutMs: TIMEOUT_MS });
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
