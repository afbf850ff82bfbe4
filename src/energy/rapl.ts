import { MeterError, messageOf, type Problem } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { findStillZones, startCounterMeter } from './counter-meter.ts';
import { DEFAULT_MAX_POWER_W, type MeterOptions } from './options.ts';
import { divideZones, findRaplZones, type RaplZone } from './rapl-zones.ts';
import { systemErrorCode } from './system-error.ts';
import type { EnergyMeter } from './types.ts';

/** Counters are updated every millisecond; the rest of the lag is for a reader that is held up between clock and counter. */
const LAG_S = 0.05;
const STILL_S = 0.5;
const ALIVE_WITHIN_MS = 300;

/**
 * The processor's own energy counters (RAPL) through the kernel's powercap tree; AMD's carry the same names as Intel's.
 *
 * Summed are every package (a socket, or a die of one: cores, caches, memory controller, integrated graphics) and every
 * dram zone, which lies outside of its package. `core` and `uncore` are inside a package and `psys` is around
 * everything, so they are shown beside the sum and never added. Only where there is no package zone is `psys` the sum.
 * Zones of `intel-rapl-mmio` count a package a second time through another register and are left out.
 * @throws MeterError if there is no such zone, it may not be read, or it stands still
 * Source: Linux kernel documentation, power/powercap/powercap.rst; Intel SDM vol. 3B, "Platform Specific Power
 * Management Support".
 */
export async function openRapl(spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter> {
  const root = spec.powercapRoot;
  const { summed, overlapping } = divideZones(findRaplZones(root));
  if (summed.length === 0) throw new MeterError(noZones(root));
  try {
    for (const zone of summed) zone.readUj();
  } catch (error) {
    throw new MeterError(unreadable(root, error), error);
  }
  const still = await findStillZones(summed, ALIVE_WITHIN_MS);
  const dead = still.filter(({ role }) => role !== 'dram');
  if (dead.length > 0) throw new MeterError(standingStill(root, dead));
  const live = summed.filter((zone) => !still.includes(zone));
  return startCounterMeter({
    source: 'rapl',
    description: describe(root, live, overlapping, still),
    zones: live,
    overlapping,
    maxPowerW: options.maxPowerW ?? DEFAULT_MAX_POWER_W,
    lagS: LAG_S,
    stillS: STILL_S,
  });
}

function describe(
  root: string,
  summed: readonly RaplZone[],
  overlapping: readonly RaplZone[],
  still: readonly RaplZone[],
) {
  const aside = [
    ...overlapping.map(({ name, role }) => `${name} (${role}) is shown but not added`),
    ...still.map(({ name }) => `${name} stands still and is left out`),
  ];
  return [`${namesOf(summed)} through ${root}`, ...aside].join('; ');
}

function namesOf(zones: readonly RaplZone[]): string {
  return zones.map(({ name }) => name).join(' + ');
}

function noZones(root: string): Problem {
  return {
    where: root,
    what: 'there is no energy counter of a processor (intel-rapl:* with a package or psys zone) here',
    hint: [
      'On bare metal: sudo modprobe intel_rapl_msr (AMD since Zen too, Linux 5.8 or newer).',
      "In a container: mount the host's tree, e.g. -v /sys/class/powercap:/sys/class/powercap:ro -v /sys/devices/virtual/powercap:/sys/devices/virtual/powercap:ro.",
      'Virtual machines mostly have none: measure outside with "source: command", or take "source: estimate".',
    ].join('\n'),
  };
}

function unreadable(root: string, error: unknown): Problem {
  const code = systemErrorCode(error);
  if (code !== 'EACCES' && code !== 'EPERM') {
    return {
      where: root,
      what: `an energy counter cannot be read: ${messageOf(error)}`,
      hint: 'See the kernel log (dmesg) for the intel_rapl driver.',
    };
  }
  return {
    where: root,
    what: `the energy counters may be read by root only (${code}), as Linux ships them since CVE-2020-8694`,
    hint: [
      `Until the next boot: sudo chmod a+r ${root}/intel-rapl:*/energy_uj`,
      `For good: echo 'z ${root}/intel-rapl:*/energy_uj 0444 root root -' | sudo tee /etc/tmpfiles.d/rapl.conf, and sudo systemd-tmpfiles --create rapl.conf`,
      'Or run dse as root. On a machine shared with people you do not trust, leave it closed: the counters leak what others compute.',
    ].join('\n'),
  };
}

function standingStill(root: string, zones: readonly RaplZone[]): Problem {
  return {
    where: root,
    what: `the counter of ${namesOf(zones)} stands still at ${zones[0]?.readUj()} uJ, so it measures nothing`,
    hint: 'Virtual machines often show counters that never move. Measure on the host, with "source: command", or take "source: estimate".',
  };
}
