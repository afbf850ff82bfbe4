import { DesignError } from '../errors.ts';
import { createRng, deriveSeed, type Rng } from '../rng.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { countSurvivors, isExcluded } from './exclusions.ts';
import { type Levels, levelsAt } from './factorial.ts';
import { tooFewPoints } from './random-subset.ts';

/** Fresh starts, and exchanges tried in each, before giving up. */
const STARTS = 20;
const EXCHANGES = 20_000;

/**
 * `design.points` different combinations in which the levels of every factor occur equally often, to within one.
 *
 * The Latin hypercube for discrete levels: each factor's levels are repeated to the number of points and shuffled by themselves (which levels get one more is random). Rows that
 * repeat another or are excluded are then mended by exchanging a level with another row, which keeps every factor's balance.
 * @throws DesignError where no such set was found
 * Source: McKay, Beckman and Conover, Technometrics 21 (1979), for the stratified columns.
 */
export function latinHypercube(spec: ExperimentSpec): Levels[] {
  const wanted = spec.design.points ?? 0;
  const available = countSurvivors(spec);
  if (wanted > available) throw tooFewPoints(spec, available);

  const rng = createRng(deriveSeed(spec.design.seed, 'latin-hypercube'));
  const levelCounts = Object.values(spec.factors).map(({ length }) => length);
  const isAllowed = memoize((index: number) => !isExcluded(levelsAt(spec, index), spec.exclude));
  for (let start = 0; start < STARTS; start++) {
    const indices = mend(randomRows(levelCounts, wanted, rng), levelCounts, isAllowed, rng);
    if (indices !== undefined) return indices.map((index) => levelsAt(spec, index));
  }
  throw new DesignError({
    where: spec.file,
    what: `no set of ${wanted} points was found that is balanced in every factor and avoids the exclusions`,
    hint: 'Change "points", drop an exclusion, or take method: random, which does not balance.',
  });
}

/** Rows of level numbers, balanced in each column. */
function randomRows(levelCounts: readonly number[], rowCount: number, rng: Rng): number[][] {
  const columns = levelCounts.map((levelCount) => {
    const levels = rng.shuffle(Array.from({ length: levelCount }, (_, level) => level));
    return rng.shuffle(Array.from({ length: rowCount }, (_, row) => levels[row % levelCount] as number));
  });
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => column[row] as number));
}

/** Exchanges levels between rows until all rows are allowed and differ; undefined where the tries run out. */
function mend(
  rows: number[][],
  levelCounts: readonly number[],
  isAllowed: (index: number) => boolean,
  rng: Rng,
): number[] | undefined {
  const indexOf = (row: readonly number[]) =>
    row.reduce((index, level, factor) => index * (levelCounts[factor] as number) + level, 0);
  const counts = new Map<number, number>();
  const count = (index: number, change: number) => counts.set(index, (counts.get(index) ?? 0) + change);
  const faultOf = (index: number) => (isAllowed(index) ? 0 : 1) + ((counts.get(index) ?? 0) > 1 ? 1 : 0);
  const faulty = () => rows.filter((row) => faultOf(indexOf(row)) > 0);

  for (const row of rows) count(indexOf(row), 1);
  let toMend = faulty();
  for (let tried = 0; toMend.length > 0 && tried < EXCHANGES; tried++) {
    const row = toMend[rng.integer(0, toMend.length - 1)] as number[];
    const other = rows[rng.integer(0, rows.length - 1)] as number[];
    const factor = rng.integer(0, levelCounts.length - 1);
    if (row[factor] === other[factor]) continue;

    const before = [indexOf(row), indexOf(other)] as const;
    const faultsBefore = faultOf(before[0]) + faultOf(before[1]);
    const exchange = () => {
      for (const index of [indexOf(row), indexOf(other)]) count(index, -1);
      [row[factor], other[factor]] = [other[factor] as number, row[factor] as number];
      for (const index of [indexOf(row), indexOf(other)]) count(index, 1);
    };
    exchange();
    if (faultOf(indexOf(row)) + faultOf(indexOf(other)) > faultsBefore) exchange();
    else toMend = faulty();
  }
  return toMend.length === 0 ? rows.map(indexOf) : undefined;
}

function memoize<T>(compute: (index: number) => T): (index: number) => T {
  const known = new Map<number, T>();
  return (index) => {
    if (!known.has(index)) known.set(index, compute(index));
    return known.get(index) as T;
  };
}
