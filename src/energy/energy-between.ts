import { NS_PER_S } from '../units.ts';
import type { EnergyReading, EnergyUse } from './types.ts';

/**
 * What was drawn between two readings of one meter, zone by zone and in all.
 *
 * @throws RangeError if the readings are reversed in time or energy, are the same moment, or name different zones
 */
export function energyBetween(before: EnergyReading, after: EnergyReading): EnergyUse {
  const durationS = (after.atNs - before.atNs) / NS_PER_S;
  if (!(durationS > 0)) {
    throw new RangeError(`the reading at ${after.atNs} ns is not after the one at ${before.atNs} ns`);
  }
  const zonesJ = differences(before.zonesJ, after.zonesJ);
  if (Object.keys(after.zonesJ).length !== Object.keys(zonesJ).length) {
    throw new RangeError(
      `the readings name different zones: ${Object.keys(before.zonesJ)} and ${Object.keys(after.zonesJ)}`,
    );
  }
  const totalJ = Object.values(zonesJ).reduce((sum, joules) => sum + joules, 0);
  const overlappingJ = differences(before.overlappingJ ?? {}, after.overlappingJ ?? {}, { skipMissing: true });
  return { totalJ, zonesJ, overlappingJ, durationS, powerW: totalJ / durationS };
}

function differences(
  before: EnergyReading['zonesJ'],
  after: EnergyReading['zonesJ'],
  { skipMissing = false } = {},
): Record<string, number> {
  const joules: Record<string, number> = {};
  for (const [zone, beforeJ] of Object.entries(before)) {
    const afterJ = after[zone];
    if (afterJ === undefined && skipMissing) continue;
    if (afterJ === undefined) throw new RangeError(`the later reading has no zone "${zone}"`);
    if (afterJ < beforeJ) throw new RangeError(`zone "${zone}" falls from ${beforeJ} to ${afterJ} J`);
    joules[zone] = afterJ - beforeJ;
  }
  return joules;
}
