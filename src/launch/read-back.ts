import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import { LaunchError, type Problem } from '../errors.ts';
import { type GroupFiles, quotaUs } from './group.ts';
import { readThreadCpuLists } from './proc.ts';
import type { Limits } from './types.ts';

/** The kernel rounds a memory limit down to whole pages; 64 KiB is the largest page it uses. */
const MAX_PAGE_BYTES = 65_536;

/**
 * Those of the limits asked for that hold for a running server, from the kernel: pinning over all of its threads; quota and memory of its group, or of one above it that
 * allows less.
 */
function readBackLimits(pid: number, asked: Limits, files: GroupFiles | undefined): Limits {
  const cpuset = asked.cpuset === undefined ? undefined : readCpuset(pid);
  const { cpus, memoryBytes } = files?.readLimits() ?? {};
  return {
    ...(cpuset !== undefined && { cpuset }),
    ...(asked.cpus !== undefined && cpus !== undefined && { cpus }),
    ...(asked.memoryBytes !== undefined && memoryBytes !== undefined && { memoryBytes }),
  };
}

/**
 * The limits that hold for a running server, which are those asked for.
 *
 * @throws LaunchError with every limit that reads otherwise
 */
export function verifyLimits(pid: number, asked: Limits, files: GroupFiles | undefined): Limits {
  const applied = readBackLimits(pid, asked, files);
  const mismatches = findMismatches(asked, applied);
  if (mismatches.length > 0) throw new LaunchError(mismatches);
  return applied;
}

/** Every limit that reads otherwise than asked; what was not asked for may be anything. */
export function findMismatches(asked: Limits, applied: Limits): Problem[] {
  const problems: Problem[] = [];
  const report = (name: string, wanted: unknown, found: unknown) =>
    problems.push({
      what: `asked for ${name} ${wanted}, but the kernel reads back ${found ?? 'unlimited'}`,
      hint: 'A cgroup above may allow less, or something else changes this limit; "dse doctor" shows what may be limited here, and how.',
    });
  if (!isSameCpuset(asked.cpuset, applied.cpuset)) report('CPU set', asked.cpuset, applied.cpuset);
  if (!isSameQuota(asked.cpus, applied.cpus)) report('CPU quota', asked.cpus, applied.cpus);
  if (!isSameMemory(asked.memoryBytes, applied.memoryBytes))
    report('memory limit (bytes)', asked.memoryBytes, applied.memoryBytes);
  return problems;
}

/** CPUs that any of the threads may run on. */
function readCpuset(pid: number): string | undefined {
  const lists = readThreadCpuLists(pid);
  return lists.length === 0 ? undefined : formatCpuList(lists.flatMap((list) => parseCpuList(list) ?? []));
}

function isSameCpuset(asked: string | undefined, applied: string | undefined): boolean {
  if (asked === undefined) return true;
  return applied !== undefined && formatCpuList(parseCpuList(asked) ?? []) === applied;
}

function isSameQuota(asked: number | undefined, applied: number | undefined): boolean {
  if (asked === undefined) return true;
  return applied !== undefined && quotaUs(asked) === quotaUs(applied);
}

function isSameMemory(asked: number | undefined, applied: number | undefined): boolean {
  if (asked === undefined) return true;
  return applied !== undefined && applied <= asked && asked - applied < MAX_PAGE_BYTES;
}
