import { dirname, join } from 'node:path';
import type { GroupFiles, GroupLimits } from './group.ts';
import { readIfThere } from './proc.ts';

/** Directories of one group in the mounted v1 hierarchies; a controller that is not used is absent. */
export interface CgroupV1Dirs {
  readonly cpu?: string;
  readonly cpuacct?: string;
  readonly memory?: string;
}

/** v1 writes "no limit" as the largest page-aligned signed number; anything near it is none. */
const V1_UNLIMITED_BYTES = 2 ** 62;

/** Source: Linux kernel documentation, admin-guide/cgroup-v1/{cpuacct,memory}.rst and scheduler/sched-bwc.rst. */
export function openCgroupV1(dirs: CgroupV1Dirs): GroupFiles {
  const read = (dir: string | undefined, file: string) =>
    dir === undefined ? undefined : readIfThere(join(dir, file));
  return {
    readLimits: () =>
      limitsOf(
        leastUpwards(dirs.cpu, 'cpu.cfs_quota_us', (text, dir) => {
          const [quota, period] = [parseNumber(text), parseNumber(read(dir, 'cpu.cfs_period_us'))];
          return quota !== undefined && period !== undefined && quota > 0 ? quota / period : undefined;
        }),
        leastUpwards(dirs.memory, 'memory.limit_in_bytes', (text) => {
          const bytes = parseNumber(text);
          return bytes !== undefined && bytes < V1_UNLIMITED_BYTES ? bytes : undefined;
        }),
      ),
    readCpuTimeUs: () => scaled(parseNumber(read(dirs.cpuacct, 'cpuacct.usage')), 1e-3),
    readThrottledUs: () => scaled(parseKeyed(read(dirs.cpu, 'cpu.stat'), 'throttled_time'), 1e-3),
    readOomKills: () => parseKeyed(read(dirs.memory, 'memory.oom_control'), 'oom_kill'),
    readPids: () => parsePids(read(dirs.cpuacct ?? dirs.cpu ?? dirs.memory, 'cgroup.procs')),
  };
}

/** Source: Linux kernel documentation, admin-guide/cgroup-v2.rst. */
export function openCgroupV2(dir: string): GroupFiles {
  const read = (file: string) => readIfThere(join(dir, file));
  return {
    readLimits: () =>
      limitsOf(
        leastUpwards(dir, 'cpu.max', (text) => {
          const [quota, period] = text.trim().split(' ').map(parseNumber);
          return quota !== undefined && period !== undefined ? quota / period : undefined;
        }),
        leastUpwards(dir, 'memory.max', parseNumber),
      ),
    readCpuTimeUs: () => parseKeyed(read('cpu.stat'), 'usage_usec'),
    readThrottledUs: () => parseKeyed(read('cpu.stat'), 'throttled_usec'),
    readOomKills: () => parseKeyed(read('memory.events'), 'oom_kill'),
    readPids: () => parsePids(read('cgroup.procs')),
  };
}

/**
 * The smallest of a limit over a cgroup and all those above it, up to where the file is no more: it is the one that holds.
 *
 * @param parse - the limit that a file's text states; undefined for none
 */
function leastUpwards(
  from: string | undefined,
  file: string,
  parse: (text: string, dir: string) => number | undefined,
): number | undefined {
  let least: number | undefined;
  for (let dir = from; dir !== undefined; dir = dirname(dir)) {
    const text = readIfThere(join(dir, file));
    if (text === undefined) break;
    const limit = parse(text, dir);
    if (limit !== undefined && limit < (least ?? Number.POSITIVE_INFINITY)) least = limit;
  }
  return least;
}

function limitsOf(cpus: number | undefined, memoryBytes: number | undefined): GroupLimits {
  return { ...(cpus !== undefined && { cpus }), ...(memoryBytes !== undefined && { memoryBytes }) };
}

/** A file that holds one number; undefined for "max", an empty file or none. */
function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** One value of a file of `key value` lines. */
function parseKeyed(text: string | undefined, key: string): number | undefined {
  return parseNumber(new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1]);
}

function parsePids(text: string | undefined): number[] {
  return (text ?? '').split('\n').filter(Boolean).map(Number);
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
