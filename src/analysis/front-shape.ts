import type { Objective } from '../spec/types.ts';
import { hypervolume } from './hypervolume.ts';
import type { Front } from './types.ts';

/** Best and worst value of each objective among the configurations that take part. */
export interface ObjectiveBox {
  readonly ideal: readonly number[];
  readonly reference: readonly number[];
}

/** Costs of every configuration: 0 is the best value of an objective among those that take part, 1 the worst. */
export type Costs = readonly Float64Array[];

/** The box of all configurations that take part; undefined where none does. */
export function findBox(
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  isLeftOut: Uint8Array,
): ObjectiveBox | undefined {
  const sides = objectives.map(({ response, direction }) => {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const [configuration, value] of (means.get(response) as Float64Array).entries()) {
      if (isLeftOut[configuration] === 1) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return direction === 'minimize' ? [least, most] : [most, least];
  });
  if (!sides.every(([ideal]) => Number.isFinite(ideal))) return undefined;
  return { ideal: sides.map(([ideal]) => ideal as number), reference: sides.map(([, worst]) => worst as number) };
}

/** Objectives as shares of the box. An objective that is the same everywhere costs 0. */
export function toCosts(
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  { ideal, reference }: ObjectiveBox,
): Costs {
  return objectives.map(({ response }, k) => {
    const best = ideal[k] as number;
    const range = (reference[k] as number) - best;
    return (means.get(response) as Float64Array).map((value) => (range === 0 ? 0 : (value - best) / range));
  });
}

/** Share of the box that a front dominates. Objectives that are the same everywhere do not count. */
export function hypervolumeShare(costs: Costs, front: readonly number[]): number {
  const varied = costs.filter((cost) => front.some((point) => cost[point] !== 0) || cost.some((value) => value > 0));
  if (varied.length === 0) return front.length > 0 ? 1 : 0;
  const points = front.map((point) => varied.map((cost) => cost[point] as number));
  return hypervolume(
    points,
    varied.map(() => 1),
  );
}

/** Members on a front. */
export function frontMembers({ members, onFront }: Pick<Front, 'members' | 'onFront'>): number[] {
  return [...members].filter((_, place) => onFront[place] === 1);
}

/**
 * How far a point is from a front: the least way, in shares of the range of each objective, that would bring it level with a point of the front in every objective in which it is worse. 0 on it.
 *
 * Source: the distance of the indicator IGD+, Ishibuchi et al. (2015), "Modified distance calculation in generational distance and inverted generational distance", EMO 2015.
 */
export function distanceToFront(costs: Costs, front: readonly number[], point: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const other of front) {
    let squares = 0;
    for (const cost of costs) squares += Math.max(0, (cost[point] as number) - (cost[other] as number)) ** 2;
    least = Math.min(least, squares);
  }
  return Math.sqrt(least);
}

/**
 * The knee: the point of a front that bulges furthest from the line (plane) through its ends towards the ideal, each objective as a share of its range on the front.
 *
 * Undefined for fronts of fewer than three distinct points, or where no point bulges.
 * Source: Das (1999), "On characterizing the knee of the Pareto curve based on normal-boundary intersection", Structural Optimization 18(2-3).
 */
export function findKnee(costs: Costs, front: readonly number[]): number | undefined {
  const ranges = costs
    .map((cost) => {
      const values = front.map((point) => cost[point] as number);
      return { cost, least: Math.min(...values), range: Math.max(...values) - Math.min(...values) };
    })
    .filter(({ range }) => range > 0);
  const distinct = new Set(front.map((point) => ranges.map(({ cost }) => cost[point]).join(' ')));
  if (ranges.length < 2 || distinct.size < 3) return undefined;
  const sumAt = (point: number) =>
    ranges.reduce((sum, { cost, least, range }) => sum + ((cost[point] as number) - least) / range, 0);
  // The end that is best in objective k costs 0 there; the plane goes through the ends as far as they lie on one sum, which two objectives always do.
  const ends = ranges.map(({ cost, least }) =>
    Math.min(...front.filter((point) => cost[point] === least).map((point) => sumAt(point))),
  );
  const plane = ends.reduce((sum, end) => sum + end, 0) / ends.length;
  let knee: number | undefined;
  let lowest = plane - 1e-9;
  for (const point of front) {
    const sum = sumAt(point);
    if (sum < lowest) {
      lowest = sum;
      knee = point;
    }
  }
  return knee;
}

/** Per point of a front, how many others have exactly the same objectives. */
export function countTies(costs: Costs, points: readonly number[]): Map<number, number> {
  const keys = points.map((point) => costs.map((cost) => cost[point]).join(' '));
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return new Map(points.map((point, at) => [point, (counts.get(keys[at] as string) as number) - 1]));
}
