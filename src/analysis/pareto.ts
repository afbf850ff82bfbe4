import type { Objective } from '../spec/types.ts';
import { type DenseRanks, indicesUpTo, rankDensely, sortByRank } from './ranks.ts';

/**
 * Marks the points that no other point dominates.
 *
 * One point dominates another if it is at least as good in every objective and better in one; equal points do not dominate
 * each other, so ties are all on the front. Takes O(n log n) for up to three objectives, and O(n f) for more, f being the size of the front.
 * @param objectives - per objective the value of every point, finite, and which direction is better
 * @returns 1 for every point on the front, 0 for the others
 * Source: Kung, Luccio, Preparata (1975), "On finding the maxima of a set of vectors", Journal of the ACM 22(4).
 */
export function findFront(
  objectives: readonly { readonly values: Float64Array; readonly direction: Objective['direction'] }[],
): Uint8Array {
  const losses = objectives.map(({ values, direction }) =>
    direction === 'minimize' ? values : values.map((value) => -value),
  );
  const onFront = new Uint8Array(losses[0]?.length ?? 0);
  const contenders = dropDominated(losses);
  // Dominance compares and never computes, so ranks serve as costs: the lower the better.
  const costs = losses.map((loss) => rankDensely(takeAt(loss, contenders)));
  const isDominated = createDominanceTest(costs);
  let previous: number | undefined;
  for (const at of sortLexicographically(costs)) {
    const point = contenders[at] as number;
    // In this order only an earlier point can dominate a later one, and equal points are neighbours with one fate.
    const isRepeat = previous !== undefined && areEqual(costs, previous, at);
    onFront[point] = isRepeat ? (onFront[contenders[previous as number] as number] as number) : isDominated(at) ? 0 : 1;
    previous = at;
  }
  return onFront;
}

/** How much more one objective counts than the others where a good point is sought. */
const WEIGHTS = [1, 3, 9];

/**
 * Points left when those are dropped that some good ones dominate: a first sieve, so that of a large table few points are sorted.
 *
 * A good point has the least weighted sum of losses in shares of their ranges, each objective weighing more in turn. Which points these are decides how many are dropped, never whether
 * one rightly is.
 */
function dropDominated(losses: readonly Float64Array[]): Uint32Array {
  let points = indicesUpTo(losses[0]?.length ?? 0);
  const scales = losses.map((loss) => 1 / spanOf(loss));
  for (const weight of WEIGHTS) {
    for (let favoured = 0; favoured < losses.length; favoured++) {
      const weights = scales.map((scale, index) => (index === favoured ? weight * scale : scale));
      const good = findLeastSum(losses, weights, points);
      if (good !== undefined) points = points.filter((point) => !dominates(losses, good, point));
    }
  }
  return points;
}

function spanOf(values: Float64Array): number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least || 1;
}

function findLeastSum(
  losses: readonly Float64Array[],
  weights: readonly number[],
  points: Uint32Array,
): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const point of points) {
    let sum = 0;
    for (let index = 0; index < losses.length; index++) {
      sum += (weights[index] as number) * ((losses[index] as Float64Array)[point] as number);
    }
    if (sum < least) [best, least] = [point, sum];
  }
  return best;
}

function dominates(losses: readonly Float64Array[], point: number, other: number): boolean {
  let isBetter = false;
  for (let index = 0; index < losses.length; index++) {
    const loss = losses[index] as Float64Array;
    const [ours, theirs] = [loss[point] as number, loss[other] as number];
    if (ours > theirs) return false;
    if (ours < theirs) isBetter = true;
  }
  return isBetter;
}

function takeAt(values: Float64Array, places: Uint32Array): Float64Array {
  const taken = new Float64Array(places.length);
  for (let at = 0; at < places.length; at++) taken[at] = values[places[at] as number] as number;
  return taken;
}

/** Points by the first cost, those of equal first cost by the second, and so on. */
function sortLexicographically(costs: readonly DenseRanks[]): Uint32Array {
  // A stable sort by each cost from the last to the first leaves them so.
  return costs.reduceRight((order, cost) => sortByRank(order, cost), indicesUpTo(costs[0]?.ranks.length ?? 0));
}

function areEqual(costs: readonly DenseRanks[], a: number, b: number): boolean {
  return costs.every(({ ranks }) => ranks[a] === ranks[b]);
}

/** A test that is asked about distinct points in lexicographic order, and says whether one it was asked about before dominates. */
function createDominanceTest([, second, third, ...others]: readonly DenseRanks[]): (point: number) => boolean {
  if (second === undefined) return createOneCostTest();
  if (third === undefined) return createTwoCostTest(second.ranks);
  if (others.length === 0) return createThreeCostTest(second, third.ranks);
  return createManyCostTest([second, third, ...others].map(({ ranks }) => ranks));
}

/** One objective: only the first distinct point is best. */
function createOneCostTest(): () => boolean {
  let asked = false;
  return () => {
    const dominated = asked;
    asked = true;
    return dominated;
  };
}

function createTwoCostTest(second: Uint32Array): (point: number) => boolean {
  let least = Number.POSITIVE_INFINITY;
  return (point) => {
    const cost = second[point] as number;
    if (least <= cost) return true;
    least = cost;
    return false;
  };
}

/** Keeps, in a Fenwick tree over the second cost, the least third cost up to each. */
function createThreeCostTest({ ranks, counts }: DenseRanks, third: Uint32Array): (point: number) => boolean {
  const size = counts.length;
  const least = new Float64Array(size + 1).fill(Number.POSITIVE_INFINITY);
  return (point) => {
    const cost = third[point] as number;
    const place = (ranks[point] as number) + 1;
    for (let node = place; node > 0; node -= node & -node) {
      if ((least[node] as number) <= cost) return true;
    }
    for (let node = place; node <= size; node += node & -node) {
      if (cost < (least[node] as number)) least[node] = cost;
    }
    return false;
  };
}

/** The first cost of an earlier point is never higher, so the others decide. */
function createManyCostTest(costs: readonly Uint32Array[]): (point: number) => boolean {
  const front: number[] = [];
  return (point) => {
    if (front.some((other) => costs.every((cost) => (cost[other] as number) <= (cost[point] as number)))) return true;
    front.push(point);
    return false;
  };
}
