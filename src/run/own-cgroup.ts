import { readFileSync } from 'node:fs';

/**
 * Time for which the control group of dse and its load generator was held back by a CPU quota of its own, e.g. that of a container dse runs in, microseconds; undefined
 * where there is none or the system does not tell.
 *
 * Source: Linux kernel documentation, admin-guide/cgroup-v2.rst (cpu.stat, throttled_usec) and scheduler/sched-bwc.rst (throttled_time, nanoseconds).
 */
export function readOwnThrottledUs(): number | undefined {
  for (const file of findCpuStatFiles()) {
    const text = readIfThere(file);
    const us = /^throttled_usec (\d+)$/m.exec(text ?? '')?.[1];
    if (us !== undefined) return Number(us);
    const ns = /^throttled_time (\d+)$/m.exec(text ?? '')?.[1];
    if (ns !== undefined) return Number(ns) / 1e3;
  }
  return undefined;
}

function findCpuStatFiles(): string[] {
  const lines = (readIfThere('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  return lines.flatMap(([id, controllers = '', group]) => {
    if (group === undefined) return [];
    if (id === '0') return [`/sys/fs/cgroup${group}/cpu.stat`, `/sys/fs/cgroup/unified${group}/cpu.stat`];
    return controllers.split(',').includes('cpu') ? [`/sys/fs/cgroup/cpu${group}/cpu.stat`] : [];
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
