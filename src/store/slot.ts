import type { TrialRecord } from './types.ts';

/**
 * The place of a trial in tables: its machine, levels and replicate.
 *
 * Two trials of one place differ in what else defines a trial (the model's file, the definition of its load, windows, seed, engine). They are no replicates of each other and must not
 * be averaged: the one that was measured last holds the place.
 */
export function slotOf({ host, factors, replicate }: TrialRecord): string {
  return JSON.stringify([host, replicate, Object.entries(factors).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
