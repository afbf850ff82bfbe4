import { contentHash } from '../content-hash.ts';
import type { TrialDefinition } from './types.ts';

/** Raised whenever the same trial would give other numbers than before (a changed clock, window or formula): trials measured by an older dse are then run again instead of being mixed in. */
export const MEASUREMENT_VERSION = 4;

const KEY_DIGITS = 16;

/**
 * The id of a trial: the first 16 hex digits of a hash over everything that defines it.
 *
 * Equal definitions have equal ids in every process and on every machine, which is what lets a run resume, a grown spec run only what is missing and journals of several
 * machines be merged. Block, run order, host and the other levels of the design are left out on purpose. So are settings that change only whether or when a trial
 * runs (`retries`, `idleGateS`) and where a meter's files are mounted.
 */
export function trialKey(definition: TrialDefinition): string {
  const { retries: _retries, idleGateS: _idleGateS, ...measure } = definition.measure;
  const { powercapRoot: _powercapRoot, hwmonRoot: _hwmonRoot, ...energy } = definition.energy;
  return contentHash({ measurementVersion: MEASUREMENT_VERSION, ...definition, measure, energy }).slice(0, KEY_DIGITS);
}
