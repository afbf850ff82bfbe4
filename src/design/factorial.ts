import { contentHash } from '../content-hash.ts';
import { type ExperimentSpec, type Level, LOAD_FACTORS } from '../spec/types.ts';
import type { DesignPoint } from './types.ts';

export type Levels = Readonly<Record<string, Level>>;

/** Number of combinations of the varied factors' levels, before exclusions. */
export function gridSize({ factors }: ExperimentSpec): number {
  return Object.values(factors).reduce((size, levels) => size * levels.length, 1);
}

/**
 * The combination at a place of the grid, fixed factors included. The first factor changes slowest.
 * @param index - from 0 to `gridSize(spec)` - 1
 */
export function levelsAt({ factors, fixed }: ExperimentSpec, index: number): Levels {
  let rest = index;
  const chosen: [string, Level][] = [];
  for (const [factor, levels] of Object.entries(factors).reverse()) {
    chosen.push([factor, levels[rest % levels.length] as Level]);
    rest = Math.floor(rest / levels.length);
  }
  return { ...Object.fromEntries(chosen.reverse()), ...fixed };
}

/** Hex digits kept of a content hash: 48 bits, so a clash among a million points is a matter of one in 500. */
const ID_LENGTH = 12;

/** Identifies a combination by the names and the values of its levels: a level that is renamed, or means something else under the same name, is another point. */
export function idOf(levels: Levels): string {
  return contentHash(levels).slice(0, ID_LENGTH);
}

export function toPoint(levels: Levels): DesignPoint {
  return { pointId: idOf(levels), levels };
}

/** A point without its load: what is launched. */
export function configurationOf(levels: Levels): Levels {
  return Object.fromEntries(Object.entries(levels).filter(([factor]) => !LOAD_FACTORS.includes(factor)));
}
