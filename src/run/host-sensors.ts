import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** State of the machine at one moment, from what its kernel shows; undefined where it does not. Counters are cumulative. */
export interface SensorReading {
  /** Mean clock of the CPUs, MHz. */
  readonly cpuFrequencyMhz: number | undefined;
  /** Hottest thermal zone, degrees Celsius. */
  readonly temperatureC: number | undefined;
  /** Times a core was slowed down because of heat, all cores together. */
  readonly thermalThrottles: number | undefined;
  /** Page faults that needed the disk, whole machine. */
  readonly majorPageFaults: number | undefined;
  /** Bytes swapped in and out, whole machine. */
  readonly swappedBytes: number | undefined;
}

/** The files a machine's state is read from, found once because their names differ between machines. */
export interface HostSensors {
  read(): SensorReading;
}

/**
 * Finds the sensors of this machine. Virtual machines mostly have none of clock and heat; systems other than Linux have none at all.
 *
 * @param sysRoot - a setting so that tests may point it at a tree with known values
 * Source: Linux kernel documentation, admin-guide/pm/cpufreq.rst, driver-api/thermal/sysfs-api.rst, ABI/testing/sysfs-devices-system-cpu (thermal_throttle).
 */
export function findHostSensors(sysRoot = '/sys', procRoot = '/proc'): HostSensors {
  const cpus = list(path.join(sysRoot, 'devices/system/cpu'), /^cpu\d+$/);
  const clocks = cpus.map((cpu) => path.join(cpu, 'cpufreq/scaling_cur_freq'));
  const throttles = cpus.map((cpu) => path.join(cpu, 'thermal_throttle/core_throttle_count'));
  const zones = list(path.join(sysRoot, 'class/thermal'), /^thermal_zone\d+$/).map((zone) => path.join(zone, 'temp'));
  const pageBytes = pageSizeBytes();
  const vmstat = path.join(procRoot, 'vmstat');
  return {
    read: () => {
      const clocksKhz = readNumbers(clocks);
      const zonesMilliC = readNumbers(zones);
      const throttleCounts = readNumbers(throttles);
      const memory = readCounters(vmstat);
      const swapped = [memory.get('pswpin'), memory.get('pswpout')];
      return {
        cpuFrequencyMhz: clocksKhz.length === 0 ? undefined : sum(clocksKhz) / clocksKhz.length / 1e3,
        temperatureC: zonesMilliC.length === 0 ? undefined : Math.max(...zonesMilliC) / 1e3,
        thermalThrottles: throttleCounts.length === 0 ? undefined : sum(throttleCounts),
        majorPageFaults: memory.get('pgmajfault'),
        swappedBytes: swapped.includes(undefined) ? undefined : sum(swapped as number[]) * pageBytes,
      };
    },
  };
}

/** The kernel counts swap in pages, whose size differs between architectures; undefined sizes make the figure unknown, not wrong. */
function pageSizeBytes(): number {
  try {
    return Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
  } catch {
    return Number.NaN;
  }
}

function list(folder: string, name: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((entry) => name.test(entry))
      .map((entry) => path.join(folder, entry));
  } catch {
    return [];
  }
}

/** Numbers in the files that can be read; a zone that is switched off gives none. */
function readNumbers(files: readonly string[]): number[] {
  return files.flatMap((file) => {
    const text = readText(file)?.trim();
    return text === undefined || text === '' || Number.isNaN(Number(text)) ? [] : [Number(text)];
  });
}

/** A file of lines `name value`. */
function readCounters(file: string): ReadonlyMap<string, number> {
  const lines = (readText(file) ?? '').split('\n').map((line) => line.split(' '));
  return new Map(lines.filter(([name]) => name !== '').map(([name = '', value]) => [name, Number(value)]));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
