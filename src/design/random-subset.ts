import { DesignError } from '../errors.ts';
import { createRng, deriveSeed, type Rng } from '../rng.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { isExcluded } from './exclusions.ts';
import { gridSize, type Levels, levelsAt } from './factorial.ts';

/**
 * `design.points` different combinations, each subset of what the exclusions leave being equally likely.
 *
 * Draws from the grid without holding it, so a small subset of a very large grid is cheap.
 * @throws DesignError where the exclusions leave fewer combinations
 */
export function randomSubset(spec: ExperimentSpec): Levels[] {
  const wanted = spec.design.points ?? 0;
  const chosen: Levels[] = [];
  for (const index of inRandomOrder(gridSize(spec), createRng(deriveSeed(spec.design.seed, 'random-subset')))) {
    if (chosen.length === wanted) break;
    const levels = levelsAt(spec, index);
    if (!isExcluded(levels, spec.exclude)) chosen.push(levels);
  }
  if (chosen.length < wanted) throw tooFewPoints(spec, chosen.length);
  return chosen;
}

export function tooFewPoints({ file, design }: ExperimentSpec, available: number): DesignError {
  return new DesignError({
    where: file,
    what: `design.points is ${design.points}, but the factors and exclusions leave ${available} combinations`,
    hint: `Lower "points" to at most ${available}, or take method: full-factorial.`,
  });
}

/** The numbers from 0 to `size` - 1 in random order: a Fisher-Yates shuffle that keeps only the places it has touched. */
function* inRandomOrder(size: number, rng: Rng): Generator<number> {
  const moved = new Map<number, number>();
  for (let last = size - 1; last >= 0; last--) {
    const pick = rng.integer(0, last);
    yield moved.get(pick) ?? pick;
    moved.set(pick, moved.get(last) ?? last);
    moved.delete(last);
  }
}
