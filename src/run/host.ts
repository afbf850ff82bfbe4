import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { monotonicNs, NS_PER_US } from '../units.ts';
import { findHostSensors, type SensorReading } from './host-sensors.ts';

/** Cumulative CPU time of the whole machine, and the state of its sensors. */
export interface HostReading {
  readonly atNs: number;
  /** All CPUs together: user, nice, system, interrupts. */
  readonly busyUs: number;
  /** Time a hypervisor gave to others; undefined where the system does not tell. */
  readonly stealUs: number | undefined;
  readonly sensors: SensorReading;
}

/** Linux reports /proc/stat in ticks of 1/100 s on every architecture we run on (USER_HZ, proc(5)). */
const US_PER_TICK = 10_000;

const SENSORS = findHostSensors();

/** CPUs of the whole machine, as its CPU time is counted over; this process may be allowed fewer. */
export const MACHINE_CPUS = os.cpus().length;

/** Reads the machine's sensors and CPU time: /proc/stat where there is one, else Node's own counters (whole milliseconds, no steal). */
export async function readHost(): Promise<HostReading> {
  if (process.platform === 'linux') {
    const stat = await readFile('/proc/stat', 'utf8');
    const [, user, nice, system, , , irq, softirq, steal] = stat
      .slice(0, stat.indexOf('\n'))
      .split(/\s+/)
      .map(Number) as [number, number, number, number, number, number, number, number, number];
    return {
      atNs: monotonicNs(),
      busyUs: (user + nice + system + irq + softirq) * US_PER_TICK,
      stealUs: steal * US_PER_TICK,
      sensors: SENSORS.read(),
    };
  }
  const busyMs = os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { atNs: monotonicNs(), busyUs: busyMs * 1e3, stealUs: undefined, sensors: SENSORS.read() };
}

/** CPUs' worth of time used between two readings by anything but the processes whose use is handed in, microseconds; never below 0. */
export function othersCpus(before: HostReading, after: HostReading, ownCpuTimeUs: number): number {
  const elapsedUs = (after.atNs - before.atNs) / NS_PER_US;
  return Math.max(0, after.busyUs - before.busyUs - ownCpuTimeUs) / elapsedUs;
}

/** Share of the machine's time that a hypervisor gave to others between two readings, in CPUs. */
export function stolenCpus(before: HostReading, after: HostReading): number | undefined {
  if (before.stealUs === undefined || after.stealUs === undefined) return undefined;
  return (after.stealUs - before.stealUs) / ((after.atNs - before.atNs) / NS_PER_US);
}
