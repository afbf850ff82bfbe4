import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Counter, Gauge, type Registry } from 'prom-client';
import { NS_PER_S, NS_PER_US, UJ_PER_J } from '../../units.ts';

const US_PER_S = NS_PER_S / NS_PER_US;

/** Where things are read from; settings so that tests may point them elsewhere. */
export interface SystemPaths {
  readonly cgroupOfSelf: string;
  readonly cgroupRoot: string;
  readonly powercapRoot: string;
}

export const SYSTEM_PATHS: SystemPaths = {
  cgroupOfSelf: '/proc/self/cgroup',
  cgroupRoot: '/sys/fs/cgroup',
  powercapRoot: '/sys/class/powercap',
};

/**
 * Registers CPU time and memory of the process and of its control group, and energy counters of the machine; each only where it can be read now.
 *
 * Everything is read when the metrics are, and costs nothing in between. Energy counters are the hardware's own: they begin anywhere and wrap, which Prometheus takes for a
 * restart.
 */
export function addSystemMetrics(registry: Registry, paths: SystemPaths = SYSTEM_PATHS): void {
  const registers = [registry];
  addCounter('process_cpu_seconds_total', 'CPU time of the process', registers, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / US_PER_S;
  });
  addGauge('process_resident_memory_bytes', 'Resident memory of the process', registers, () =>
    process.memoryUsage.rss(),
  );
  const cgroup = findCgroup(paths);
  addCounter('dse_cgroup_cpu_seconds_total', 'CPU time of the control group', registers, cgroup.readCpuS);
  addGauge('dse_cgroup_memory_bytes', 'Memory of the control group', registers, cgroup.readMemoryBytes);
  addEnergy(registers, paths.powercapRoot);
}

type Reader = () => number | undefined;

function addGauge(name: string, help: string, registers: Registry[], read: Reader): void {
  if (read() === undefined) return;
  new Gauge({
    ...{ name, help, registers },
    collect() {
      this.set(read() ?? Number.NaN);
    },
  });
}

function addCounter(name: string, help: string, registers: Registry[], read: Reader): void {
  if (read() === undefined) return;
  new Counter({
    ...{ name, help, registers },
    collect() {
      this.reset();
      this.inc(read() ?? 0);
    },
  });
}

/**
 * Reads CPU time and memory of the process's own control group, of either version.
 * Source: Linux kernel documentation, admin-guide/cgroup-v2.rst and cgroup-v1/{cpuacct,memory}.rst.
 */
function findCgroup({ cgroupOfSelf, cgroupRoot }: SystemPaths): { readCpuS: Reader; readMemoryBytes: Reader } {
  const lines = (readText(cgroupOfSelf) ?? '').split('\n').map((line) => line.split(':'));
  const dirOf = (controller: string) => {
    const group = lines.find(([, controllers = '']) => controllers.split(',').includes(controller))?.[2];
    // Within a container the group's own path is not there, but mounted as the root.
    return group === undefined
      ? undefined
      : [`${controller}${group}`, controller].map((dir) => path.join(cgroupRoot, dir)).find((dir) => existsSync(dir));
  };
  const unified = lines.find(([id]) => id === '0')?.[2] ?? '';
  const v2 = [path.join(cgroupRoot, unified), cgroupRoot].find((dir) => existsSync(path.join(dir, 'cpu.stat')));
  return {
    readCpuS() {
      const us = v2 && /^usage_usec (\d+)$/m.exec(readText(path.join(v2, 'cpu.stat')) ?? '')?.[1];
      if (us !== undefined) return Number(us) / US_PER_S;
      const ns = readNumber(dirOf('cpuacct'), 'cpuacct.usage');
      return ns === undefined ? undefined : ns / NS_PER_S;
    },
    readMemoryBytes: () => readNumber(v2, 'memory.current') ?? readNumber(dirOf('memory'), 'memory.usage_in_bytes'),
  };
}

/** Source: Linux kernel documentation, power/powercap/powercap.rst. */
function addEnergy(registers: Registry[], root: string): void {
  const zones = listDir(root).flatMap((dir) => {
    const zone = path.join(root, dir);
    const name = readText(path.join(zone, 'name'))?.trim();
    return name === undefined || readNumber(zone, 'energy_uj') === undefined ? [] : [{ zone, dir, name }];
  });
  if (zones.length === 0) return;
  new Counter({
    name: 'dse_rapl_joules_total',
    help: 'Energy counter of a powercap zone of the machine; wraps',
    ...{ labelNames: ['zone', 'name'], registers },
    collect() {
      this.reset();
      for (const { zone, dir, name } of zones) {
        const uj = readNumber(zone, 'energy_uj');
        if (uj !== undefined) this.inc({ zone: dir, name }, uj / UJ_PER_J);
      }
    },
  });
}

function readNumber(dir: string | undefined, file: string): number | undefined {
  const text = dir === undefined ? undefined : readText(path.join(dir, file))?.trim();
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function listDir(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch {
    return [];
  }
}
