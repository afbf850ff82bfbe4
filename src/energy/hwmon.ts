import { readFile } from 'node:fs/promises';
import { MeterError, messageOf, type Problem } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { monotonicNs, UJ_PER_J } from '../units.ts';
import { parseCounter, readCounterFile } from './counter-file.ts';
import { findStillZones, startCounterMeter } from './counter-meter.ts';
import { findHwmonSensors, type HwmonSensor, pickSensors, zoneNamesOf } from './hwmon-sensors.ts';
import { DEFAULT_MAX_POWER_W, type MeterOptions } from './options.ts';
import { startPowerMeter } from './power-meter.ts';
import type { PowerSample } from './power-trace.ts';
import { systemErrorCode } from './system-error.ts';
import type { EnergyMeter } from './types.ts';

/** Some drivers read their chip once a second. */
const COUNTER_LAG_S = 1;
const COUNTER_STILL_S = 2.5;
const COUNTER_ALIVE_WITHIN_MS = 1500;
const POWER_INTERVAL_MS = 100;
const POWER_MAX_GAP_S = 2;

/**
 * Sensors of the machine or of its processors in the kernel's hwmon tree: energy counters where there are some, else
 * power, integrated.
 *
 * @throws MeterError if there is no sensor of which it is known what it measures, or it may not be read
 * Source: Linux kernel documentation, hwmon/sysfs-interface.rst (`energy*_input` in microjoules, `power*_input` and
 * `power*_average` in microwatts).
 */
export async function openHwmon(spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter> {
  const counters = pickNamed(findHwmonSensors(spec.hwmonRoot, 'energy'));
  if (counters.length > 0) return openCounters(spec.hwmonRoot, counters, options);
  const sensors = pickNamed(findHwmonSensors(spec.hwmonRoot, 'power'));
  if (sensors.length > 0) return openPower(spec.hwmonRoot, sensors);
  throw new MeterError(nothingToPick(spec.hwmonRoot));
}

/**
 * As `openHwmon`, but for energy counters only, and only for those that say that they measure the machine or a
 * processor: what may be taken without being asked for.
 */
export async function openHwmonCounters(spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter> {
  const counters = pickSensors(findHwmonSensors(spec.hwmonRoot, 'energy'));
  if (counters.length === 0) throw new MeterError(nothingToPick(spec.hwmonRoot));
  return openCounters(spec.hwmonRoot, counters, options);
}

/** Whoever names hwmon as the source also means a sensor that says nothing of itself, if it is the only one. */
function pickNamed(sensors: readonly HwmonSensor[]): readonly HwmonSensor[] {
  return sensors.length === 1 ? sensors : pickSensors(sensors);
}

async function openCounters(
  root: string,
  sensors: readonly HwmonSensor[],
  options: MeterOptions,
): Promise<EnergyMeter> {
  const names = zoneNamesOf(sensors);
  const zones = sensors.map(({ path }, index) => ({
    name: names[index] ?? path,
    rangeUj: undefined,
    readUj: () => readCounterFile(path),
  }));
  const still = await findStillZones(zones, COUNTER_ALIVE_WITHIN_MS).catch((error: unknown) => {
    throw new MeterError(unreadable(root, sensors, error), error);
  });
  if (still.length > 0)
    throw new MeterError(
      standingStill(
        root,
        still.map(({ name }) => name),
      ),
    );
  return startCounterMeter({
    source: 'hwmon',
    description: `${names.join(' + ')} through ${root}`,
    zones,
    overlapping: [],
    maxPowerW: options.maxPowerW ?? DEFAULT_MAX_POWER_W,
    lagS: COUNTER_LAG_S,
    stillS: COUNTER_STILL_S,
  });
}

async function openPower(root: string, sensors: readonly HwmonSensor[]): Promise<EnergyMeter> {
  const names = zoneNamesOf(sensors);
  const sample = async (): Promise<PowerSample> => {
    const startNs = monotonicNs();
    const watts = await Promise.all(sensors.map(({ path }) => readWatts(path)));
    const zonesW = Object.fromEntries(watts.map((value, index) => [names[index], value]));
    return { atNs: (startNs + monotonicNs()) / 2, zonesW };
  };
  try {
    return await startPowerMeter({
      source: 'hwmon',
      description: `${names.join(' + ')} through ${root}, power sampled every ${POWER_INTERVAL_MS} ms`,
      sample,
      intervalMs: POWER_INTERVAL_MS,
      maxGapS: POWER_MAX_GAP_S,
    });
  } catch (error) {
    throw new MeterError(unreadable(root, sensors, error), error);
  }
}

async function readWatts(path: string): Promise<number> {
  return parseCounter(path, await readFile(path, 'utf8')) / UJ_PER_J;
}

function nothingToPick(root: string): Problem {
  const sensors = [...findHwmonSensors(root, 'energy'), ...findHwmonSensors(root, 'power')];
  if (sensors.length === 0) {
    return {
      where: root,
      what: 'there is no sensor of energy or power of this machine here',
      hint: 'Load the driver of the board\'s sensors if it has some (sudo sensors-detect), or take a wattmeter through "source: command", or "source: estimate".',
    };
  }
  const list = sensors.map(({ path, chip, label }) => `${path} (${chip}${label === '' ? '' : `, "${label}"`})`);
  return {
    where: root,
    what: `it is not known which of these sensors add up to the machine: ${list.join(', ')}`,
    hint: `If one of them measures all that you want, name it: energy: { source: command, command: "awk '{print $1/1e6}' FILE" } with FILE one of the power files.`,
  };
}

function unreadable(root: string, sensors: readonly HwmonSensor[], error: unknown): Problem {
  const isForbidden = ['EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '');
  return {
    where: root,
    what: `a sensor cannot be read: ${messageOf(error)}`,
    hint: isForbidden
      ? `Until the next boot: sudo chmod a+r ${sensors.map(({ path }) => path).join(' ')}. Or run dse as root.`
      : 'See the kernel log (dmesg) for its driver.',
  };
}

function standingStill(root: string, names: readonly string[]): Problem {
  return {
    where: root,
    what: `the counter of ${names.join(' and ')} stands still, so it measures nothing`,
    hint: 'Measure with another source: "dse doctor" shows which work here.',
  };
}
