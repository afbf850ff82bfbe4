import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A sensor of energy (microjoules, counting up) or of power (microwatts) in the kernel's hwmon tree. */
export interface HwmonSensor {
  readonly kind: 'energy' | 'power';
  /** Its file. */
  readonly path: string;
  /** Name of the driver or chip, e.g. "amd_energy". */
  readonly chip: string;
  /** What the driver says it measures, e.g. "Esocket0"; empty where it says nothing. */
  readonly label: string;
}

/** Chips whose sensors measure a device that is not the machine: graphics, disks, network cards, batteries. */
const DEVICE_CHIPS = /^(i915|xe|amdgpu|radeon|nouveau|nvme|drivetemp|mlx\d|bnxt|BAT|ADP|ucsi_|hidpp_)/;
/** Chips whose one power sensor is known to measure the whole machine (ACPI 4.0 power meter). */
const MACHINE_CHIPS = /^power_meter/;
/** Chips whose one power sensor is known to measure a processor. */
const SOCKET_CHIPS = /^fam15h_power/;
const MACHINE_LABEL = /^(system|total)( (power|energy))?$/i;
const SOCKET_LABEL = /^(e?socket|package|processor) ?-?_?\d*$/i;

/** All sensors of a kind under a hwmon root that measure the machine or parts of it, in a fixed order. */
export function findHwmonSensors(root: string, kind: HwmonSensor['kind']): HwmonSensor[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .flatMap((folder) => sensorsOf(join(root, folder), kind))
    .filter(({ chip }) => !DEVICE_CHIPS.test(chip));
}

/**
 * The sensors that are known to add up to the machine or to all of its processors, without counting anything twice;
 * none where that cannot be told.
 *
 * A sensor of the whole machine is taken alone; else all processors, if one kind of chip shows them. Labels are what
 * drivers say, and most rails of a board overlap or miss something: so nothing else is summed on a guess.
 */
export function pickSensors(sensors: readonly HwmonSensor[]): readonly HwmonSensor[] {
  const machine = sensors.filter(({ chip, label }) => MACHINE_CHIPS.test(chip) || MACHINE_LABEL.test(label));
  if (machine.length === 1) return machine;
  const sockets = sensors.filter(({ chip, label }) => SOCKET_CHIPS.test(chip) || SOCKET_LABEL.test(label));
  const isOneKindOfChip = new Set(sockets.map(({ chip }) => chip)).size === 1;
  return machine.length === 0 && isOneKindOfChip ? sockets : [];
}

/**
 * Names for the sensors as zones: "amd_energy-Esocket0", "power_meter-power1" where there is no label, and with the
 * folder where two would be the same.
 */
export function zoneNamesOf(sensors: readonly HwmonSensor[]): string[] {
  const names = sensors.map(
    ({ chip, label, path }) => `${chip}-${label === '' ? basename(path).split('_')[0] : label}`,
  );
  return names.map((name, index) => {
    const isShared = names.indexOf(name) !== names.lastIndexOf(name);
    return isShared ? `${name}@${basename(dirname(sensors[index]?.path ?? ''))}` : name;
  });
}

function sensorsOf(folder: string, kind: HwmonSensor['kind']): HwmonSensor[] {
  const chip = readText(join(folder, 'name'));
  const files = readdirSync(folder).sort();
  const inputs = files.filter((file) => new RegExp(`^${kind}\\d+_(average|input)$`).test(file));
  // Where a chip has both, the average misses nothing between two samples; it also comes first.
  const firstOfEach = inputs.filter((file, index) => stemOf(file) !== stemOf(inputs[index - 1] ?? ''));
  return firstOfEach.map((file) => ({
    kind,
    path: join(folder, file),
    chip,
    label: readText(join(folder, `${stemOf(file)}_label`)),
  }));
}

/** "power1" of "power1_average". */
function stemOf(file: string): string {
  return file.slice(0, file.indexOf('_'));
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}
