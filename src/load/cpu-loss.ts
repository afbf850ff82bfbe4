import { readFileSync } from 'node:fs';
import { parseCpuList } from '../cpu-list.ts';
import { monotonicNs, NS_PER_US } from '../units.ts';

/** Linux reports /proc/stat in ticks of 1/100 s on every architecture we run on (USER_HZ, proc(5)). */
const US_PER_TICK = 10_000;

/** Time that a process wanted to run and did not, cumulative. */
export interface CpuLossReading {
  readonly atNs: number;
  /** Other processes of this machine held its CPU: its main thread was ready and stood in line. */
  readonly waitedUs: number;
  /** A hypervisor gave its CPU to others; the mean of the CPUs it may use. */
  readonly stolenUs: number;
}

/**
 * How long the main thread of a process stood in line for a CPU, and how long its CPUs were stolen; both 0 where the system does not tell.
 *
 * @param cpuset - CPUs that the process is pinned to; all where absent
 * Source: Linux kernel documentation, scheduler/sched-stats.rst (`/proc/<pid>/schedstat`), and proc(5).
 */
export function readCpuLoss(pid: number, cpuset: string | undefined): CpuLossReading {
  const atNs = monotonicNs();
  try {
    const [, waitedNs = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { atNs, waitedUs: waitedNs / NS_PER_US, stolenUs: stolenUs(readFileSync('/proc/stat', 'utf8'), cpuset) };
  } catch {
    return { atNs, waitedUs: 0, stolenUs: 0 };
  }
}

function stolenUs(stat: string, cpuset: string | undefined): number {
  const cpus = cpuset === undefined ? undefined : parseCpuList(cpuset);
  const ticks = [...stat.matchAll(/^cpu(\d+) (?:\d+ ){7}(\d+)/gm)]
    .filter(([, cpu]) => cpus?.includes(Number(cpu)) ?? true)
    .map(([, , steal]) => Number(steal));
  return ticks.length === 0 ? 0 : (ticks.reduce((sum, value) => sum + value, 0) / ticks.length) * US_PER_TICK;
}

/** Share (0 to 1) of the time between two readings that the process was kept from running. */
export function lostShare(before: CpuLossReading, after: CpuLossReading): number {
  const lostUs = after.waitedUs - before.waitedUs + (after.stolenUs - before.stolenUs);
  return Math.min(1, lostUs / ((after.atNs - before.atNs) / NS_PER_US));
}
