import { energyBetween } from '../energy/index.ts';
import type { EnergyMeter } from '../energy/types.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import type { IdleState } from './context.ts';
import { MACHINE_CPUS, othersCpus, readHost, stolenCpus } from './host.ts';
import { LIMITS } from './verdict.ts';
import { sleepUnless } from './waiting.ts';

/** How long the machine is watched for one decision; ticks of 10 ms leave CPU use exact to a few percent of a CPU. */
const SAMPLE_MS = 200;
/** Power and temperature count as back near idle below these. */
const POWER_FACTOR = 1.2;
const WARMER_C = 8;

/**
 * Waits until the machine is quiet: other processes and a hypervisor take no more CPU than a valid trial allows, and power and temperature, where they are measured,
 * are back near their idle values.
 *
 * @param maxS - longest wait, seconds; the trial then starts all the same, and its verdict says if the machine stayed busy
 * @param idle - what the machine was like before the block, with nothing served
 * @param readOwnCpuTimeUs - CPU time so far of dse and of what it started, microseconds
 * @returns seconds waited
 */
export async function waitForQuietHost(
  maxS: number,
  idle: IdleState,
  meter: EnergyMeter | undefined,
  readOwnCpuTimeUs: () => Promise<number>,
  signal: AbortSignal,
): Promise<number> {
  const startNs = monotonicNs();
  const waitedS = () => (monotonicNs() - startNs) / NS_PER_S;
  while (waitedS() < maxS) {
    const before = { host: await readHost(), ownUs: await readOwnCpuTimeUs(), energy: await meter?.read() };
    await sleepUnless(signal, SAMPLE_MS);
    const after = { host: await readHost(), ownUs: await readOwnCpuTimeUs(), energy: await meter?.read() };
    const powerW = before.energy && after.energy && energyBetween(before.energy, after.energy).powerW;
    const isQuiet =
      othersCpus(before.host, after.host, after.ownUs - before.ownUs) <= LIMITS.othersShare * MACHINE_CPUS &&
      (stolenCpus(before.host, after.host) ?? 0) <= LIMITS.stolenShare * MACHINE_CPUS &&
      isBelow(powerW, idle.power && idle.power.powerW * POWER_FACTOR) &&
      isBelow(after.host.sensors.temperatureC, idle.temperatureC && idle.temperatureC + WARMER_C);
    if (isQuiet) break;
  }
  return waitedS();
}

/** Whether a figure is within its limit; one that is not measured cannot be over it. */
function isBelow(value: number | undefined, limit: number | undefined): boolean {
  return value === undefined || limit === undefined || value <= limit;
}
