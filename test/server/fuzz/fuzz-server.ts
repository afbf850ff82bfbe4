import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveSeed } from '../../../src/rng.ts';
import { BYTES_PER_MB } from '../../../src/units.ts';
import { plainSettings, TinyModels } from '../../engine/tiny-models.ts';
import { ServerProcess } from '../server-rig.ts';
import { createChoice } from './choice.ts';
import { GrpcCaller } from './grpc-call.ts';
import { PIXELS } from './image-cases.ts';
import { caseKinds } from './kinds.ts';
import type { CaseResult, Ending, FuzzTarget } from './types.ts';

export interface FuzzOptions {
  readonly cases: number;
  /** Number of the first case; others make the same run in parts. */
  readonly first?: number;
  readonly seed: number;
}

export type KindCounts = Record<Ending | 'cases', number>;

export interface FuzzReport {
  readonly counts: Readonly<Record<string, KindCounts>>;
  /** Kind, number of the case and what was wrong. */
  readonly violations: readonly string[];
  /** Median resident memory of the server over the second quarter of the cases, and over the last, megabytes: single readings hold whatever is being decoded just then. */
  readonly warmMb: number;
  readonly endMb: number;
  /** Descriptors of the server before the first case and after the last. */
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  /** What it wrote to its log, and whether it still runs. */
  readonly log: string;
  readonly isAlive: boolean;
}

const CONCURRENCY = 24;
const BODY_LIMIT_BYTES = 200_000;
/** Readings of resident memory in a run. */
const READINGS = 200;
const CLOSING_MS = 30_000;

/**
 * glibc gives threads arenas of their own, up to eight a processor, and each keeps what it once needed, so resident memory creeps for long before it levels off. With two it gets there
 * sooner: over 10,000 cases with seed 1, from the second quarter to the last, 244 to 248 MB instead of 272 to 312; over 45,000, 289 to 297.
 */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };

/** Starts a server of its own and plays seeded cases of every kind against it, some at a time. */
export async function fuzzServer({ cases, first = 0, seed }: FuzzOptions): Promise<FuzzReport> {
  using models = new TinyModels();
  const add = models.add();
  const engine = plainSettings;
  const { server, url, grpcAddress } = await ServerProcess.listening(
    {
      models: [
        { name: 'tiny', file: add, engine },
        {
          name: 'joined',
          file: add,
          engine,
          instances: 2,
          batching: { maxBatch: 8, maxQueueDelayMs: 1 },
          cache: { entries: 50 },
        },
        { name: 'every', file: models.everyType(), engine },
        { name: 'pixels', file: models.pixels(), engine, image: PIXELS },
      ],
      ...{ host: '127.0.0.1', port: 0, grpcPort: 0, bodyLimitBytes: BODY_LIMIT_BYTES, exitOnStdinEnd: true },
    },
    FEW_ARENAS,
  );
  await using _owned = server;
  const pid = server.child.pid as number;
  const target: FuzzTarget = {
    port: Number(new URL(url).port),
    grpcPort: Number(grpcAddress?.split(':').at(-1)),
    bodyLimitBytes: BODY_LIMIT_BYTES,
  };
  const counts: Record<string, KindCounts> = {};
  const violations: string[] = [];
  const descriptorsBefore = countDescriptors(pid);
  const readingsMb: number[] = [];
  const casesPerReading = Math.ceil(cases / READINGS);
  {
    using caller = new GrpcCaller(target.grpcPort);
    const kinds = Object.entries(caseKinds(caller));
    let next = first;
    const play = async () => {
      while (next < first + cases && server.child.exitCode === null) {
        const number = next++;
        if ((number - first) % casesPerReading === 0) readingsMb.push(residentMb(pid));
        const [name, kind] = kinds[number % kinds.length] as (typeof kinds)[number];
        const result = await kind(createChoice(deriveSeed(seed, name, number)), target);
        counts[name] ??= { cases: 0, answered: 0, refused: 0, closed: 0 };
        note(counts[name], result);
        if (result.violation !== undefined) violations.push(`${name}, case ${number}: ${result.violation}`);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, play));
  }
  const isAlive = server.child.exitCode === null;
  const descriptorsAfter = isAlive ? await settledDescriptors(pid, descriptorsBefore) : Number.NaN;
  return {
    counts,
    violations,
    warmMb: medianOfQuarter(readingsMb, 1),
    endMb: medianOfQuarter(readingsMb, 3),
    descriptorsBefore,
    descriptorsAfter,
    log: withoutRuntime(server.errors),
    isAlive,
  };
}

/** The runtime writes failures that it also throws straight to standard error. */
function withoutRuntime(log: string): string {
  const lines = log.split('\n').filter((line) => !line.includes('[E:onnxruntime:') && line !== '\u001b[m');
  return lines.join('\n').trim();
}

function note(counts: KindCounts, { ending }: CaseResult): void {
  counts.cases++;
  counts[ending]++;
}

/** Descriptors once the server has noticed that the clients are gone. */
async function settledDescriptors(pid: number, before: number): Promise<number> {
  const endMs = performance.now() + CLOSING_MS;
  while (countDescriptors(pid) > before && performance.now() < endMs) await sleep(50);
  return countDescriptors(pid);
}

function medianOfQuarter(readings: readonly number[], quarter: number): number {
  const [from, to] = [quarter, quarter + 1].map((end) => Math.floor((end * readings.length) / 4));
  const ascending = readings.slice(from, to).sort((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? Number.NaN;
}

function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kb) * 1024) / BYTES_PER_MB;
}
