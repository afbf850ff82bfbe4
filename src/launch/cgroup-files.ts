import { dirname, join } from 'node:path';
import type { BlockBytes, GroupFiles, GroupLimits } from './group.ts';
import { readIfThere } from './proc.ts';

/** Directories of one group in the mounted v1 hierarchies; a controller that is not used is absent. */
export interface CgroupV1Dirs {
  readonly cpu?: string;
  readonly cpuacct?: string;
  readonly memory?: string;
  readonly blkio?: string;
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
    readThrottledUs: () => heldBackUs(read(dirs.cpu, 'cpu.stat'), parseNumber(read(dirs.cpu, 'cpu.cfs_period_us'))),
    readOomKills: () => parseKeyed(read(dirs.memory, 'memory.oom_control'), 'oom_kill'),
    readBlockBytes: () => parseBlkio(read(dirs.blkio, 'blkio.throttle.io_service_bytes_recursive')),
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
    readThrottledUs: () => heldBackUs(read('cpu.stat'), parseNumber(read('cpu.max')?.trim().split(' ')[1])),
    readOomKills: () => parseKeyed(read('memory.events'), 'oom_kill'),
    readBlockBytes: () => parseIoStat(read('io.stat')),
    readPids: () => parsePids(read('cgroup.procs')),
  };
}

/**
 * Length of the quota periods in which a group ran out of its quota, microseconds.
 *
 * Not the kernel's throttled time: Linux 6.18 was seen to count 0.62 s of the 2.4 s for which a quota of a fifth held a busy process back. The count of periods was right.
 */
function heldBackUs(cpuStat: string | undefined, periodUs: number | undefined): number | undefined {
  return scaled(parseKeyed(cpuStat, 'nr_throttled'), periodUs);
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

/**
 * `8:0 Read 4096` for each device and direction.
 *
 * Without a line for any device nothing is known: kernels were seen (Linux 6.18) to count nothing here before somebody sets a limit on a device, whatever is read and written.
 * Source: Linux kernel documentation, admin-guide/cgroup-v1/blkio-controller.rst.
 */
function parseBlkio(text: string | undefined): BlockBytes {
  if (text === undefined || !/^\d+:\d+ Read /m.test(text)) return UNKNOWN_BYTES;
  const sumOf = (direction: string) =>
    sum([...text.matchAll(new RegExp(`^\\d+:\\d+ ${direction} (\\d+)$`, 'gm'))].map(([, bytes]) => Number(bytes)));
  return { blockReadBytes: sumOf('Read'), blockWriteBytes: sumOf('Write') };
}

/** `8:0 rbytes=4096 wbytes=0 rios=1 ...` for each device; empty before the first. Source: Linux kernel documentation, admin-guide/cgroup-v2.rst, io.stat. */
function parseIoStat(text: string | undefined): BlockBytes {
  if (text === undefined) return UNKNOWN_BYTES;
  const sumOf = (key: string) =>
    sum([...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].map(([, bytes]) => Number(bytes)));
  return { blockReadBytes: sumOf('rbytes'), blockWriteBytes: sumOf('wbytes') };
}

const UNKNOWN_BYTES: BlockBytes = { blockReadBytes: undefined, blockWriteBytes: undefined };

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** One value of a file of `key value` lines. */
function parseKeyed(text: string | undefined, key: string): number | undefined {
  return parseNumber(new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1]);
}

function parsePids(text: string | undefined): number[] {
  return (text ?? '').split('\n').filter(Boolean).map(Number);
}

function scaled(value: number | undefined, factor: number | undefined): number | undefined {
  return value === undefined || factor === undefined ? undefined : value * factor;
}
