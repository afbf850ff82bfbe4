import { join } from 'node:path';
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
    readLimits() {
      const quota = parseNumber(read(dirs.cpu, 'cpu.cfs_quota_us'));
      const period = parseNumber(read(dirs.cpu, 'cpu.cfs_period_us'));
      const bytes = parseNumber(read(dirs.memory, 'memory.limit_in_bytes'));
      return limitsOf(
        quota !== undefined && period !== undefined && quota > 0 ? quota / period : undefined,
        bytes !== undefined && bytes < V1_UNLIMITED_BYTES ? bytes : undefined,
      );
    },
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
    readLimits() {
      const [quota, period] = (read('cpu.max') ?? '').trim().split(' ').map(parseNumber);
      return limitsOf(
        quota !== undefined && period !== undefined ? quota / period : undefined,
        parseNumber(read('memory.max')),
      );
    },
    readCpuTimeUs: () => parseKeyed(read('cpu.stat'), 'usage_usec'),
    readThrottledUs: () => parseKeyed(read('cpu.stat'), 'throttled_usec'),
    readOomKills: () => parseKeyed(read('memory.events'), 'oom_kill'),
    readPids: () => parsePids(read('cgroup.procs')),
  };
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
