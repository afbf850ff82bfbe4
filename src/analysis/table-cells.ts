import type { Configurations } from './types.ts';

/** Level names of one configuration, in the order of the factors. */
export function levelsOf({ codes, levels }: Configurations, configuration: number): string[] {
  return codes.map((ofFactor, factor) => levels[factor]?.[ofFactor[configuration] as number] as string);
}

/** A number as a cell: empty where it is not one. */
export function orEmpty(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}
