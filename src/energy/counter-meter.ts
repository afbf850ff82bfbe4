import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNs } from '../units.ts';
import { samplingIntervalMs } from './accumulator.ts';
import { FaultLog } from './fault-log.ts';
import type { EnergyMeter, EnergyReading, MeterSource } from './types.ts';
import { type CounterZone, ZoneCounter } from './zone-counter.ts';

/** What a meter over energy counters is made of. */
export interface CounterMeterParts {
  readonly source: MeterSource;
  readonly description: string;
  /** Zones that do not overlap; they are summed. */
  readonly zones: readonly CounterZone[];
  /** Zones that overlap those; they are shown beside the sum as long as they can be counted. */
  readonly overlapping: readonly CounterZone[];
  /** The most that one zone could ever draw, watts. */
  readonly maxPowerW: number;
  /** How long after it was drawn energy may still be missing from the counters, seconds. */
  readonly lagS: number;
  /** How long a counter may show the same value before it counts as broken, seconds. */
  readonly stillS: number;
}

/**
 * A meter over counters in small files that the kernel makes up on each read.
 *
 * All zones are read in one go without yielding, so that readers never see each other's half-done readings; a file
 * takes 20 to 50 us. A timer that does not keep the process alive reads them far more often than they can wrap, and
 * every `read` reads them anew, so that a window's energy is a difference of exactly its two ends.
 */
export function startCounterMeter(parts: CounterMeterParts): EnergyMeter {
  const log = new FaultLog();
  const counted = parts.zones.map((zone) => new ZoneCounter(zone, parts, log));
  const overlapping = parts.overlapping.map(
    (zone) => new ZoneCounter(zone, { ...parts, stillS: Number.POSITIVE_INFINITY }, new FaultLog()),
  );
  const sample = (): number => {
    const atNs = monotonicNs();
    for (const zone of [...counted, ...overlapping]) zone.sample(atNs);
    return atNs;
  };
  const read = (): EnergyReading => {
    const atNs = sample();
    const sound = overlapping.filter(({ log }) => log.isEmpty);
    return { atNs, zonesJ: joulesOf(counted), ...(sound.length > 0 && { overlappingJ: joulesOf(sound) }) };
  };
  sample();
  const ranges = parts.zones.map(({ rangeUj }) => rangeUj);
  const timer = setInterval(sample, samplingIntervalMs(ranges, parts.maxPowerW)).unref();
  return {
    source: parts.source,
    isEstimate: false,
    description: parts.description,
    read: async () => read(),
    get faults() {
      return log.list();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
    },
  };
}

function joulesOf(counters: readonly ZoneCounter[]): Record<string, number> {
  return Object.fromEntries(counters.map(({ zone, totalJ }) => [zone.name, totalJ]));
}

/** The zones whose counters have not moved within `withinMs`. Returns as soon as all have. */
export async function findStillZones<Zone extends CounterZone>(
  zones: readonly Zone[],
  withinMs: number,
): Promise<Zone[]> {
  const firstUj = new Map(zones.map((zone) => [zone, zone.readUj()]));
  const untilNs = monotonicNs() + withinMs * 1e6;
  let still = [...zones];
  while (still.length > 0 && monotonicNs() < untilNs) {
    await sleep(10);
    still = still.filter((zone) => zone.readUj() === firstUj.get(zone));
  }
  return still;
}
