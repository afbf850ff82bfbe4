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
  // Dominance compares and never computes, so ranks serve as costs: the lower the better.
  const costs = objectives.map(({ values, direction }) =>
    rankDensely(direction === 'minimize' ? values : values.map((value) => -value)),
  );
  const order = sortLexicographically(costs);
  const isDominated = createDominanceTest(costs);
  const onFront = new Uint8Array(order.length);
  let previous: number | undefined;
  for (const point of order) {
    // In this order only an earlier point can dominate a later one, and equal points are neighbours with one fate.
    const isRepeat = previous !== undefined && areEqual(costs, previous, point);
    onFront[point] = isRepeat ? (onFront[previous as number] as number) : isDominated(point) ? 0 : 1;
    previous = point;
  }
  return onFront;
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
