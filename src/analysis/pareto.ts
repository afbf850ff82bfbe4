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

/** Up to here sorting all points is quicker than a sieve. */
const FEW_POINTS = 5000;
const MOST_CELLS = 65_536;
/** Cells to a side; with fewer, which nine and more objectives would have, hardly a point is dropped. */
const [LEAST_SIDE, MOST_SIDE] = [4, 255];
/** Points whose quantiles are the edges of bins; consecutive multiples of the golden ratio fall evenly whatever period a table has. */
const SAMPLE = 2048;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Points left when those are dropped that are surely dominated: a first sieve, so that of a large table few points are sorted.
 *
 * All objectives but the last are cut into bins, each edge belonging to the bin above. A point is dropped where one in a lower bin of each of them is at least as good in the last. Where
 * the edges are decides how many are dropped, never whether one rightly is.
 */
function dropDominated(losses: readonly Float64Array[]): Uint32Array {
  const binned = losses.slice(0, -1);
  const last = losses.at(-1) ?? new Float64Array(0);
  // One cell more than bins to a side, which stays empty: below the lowest bin there is nothing.
  const side = Math.min(MOST_SIDE, Math.floor(MOST_CELLS ** (1 / binned.length)));
  if (binned.length === 0 || side < LEAST_SIDE || last.length <= FEW_POINTS) return indicesUpTo(last.length);
  const cells = new Uint32Array(last.length);
  for (const loss of binned) addBins(cells, side, loss);
  const least = new Float64Array(side ** binned.length).fill(Number.POSITIVE_INFINITY);
  for (let point = 0; point < cells.length; point++) {
    const cell = cells[point] as number;
    if ((last[point] as number) < (least[cell] as number)) least[cell] = last[point] as number;
  }
  let step = 0;
  for (let stride = 1; stride < least.length; stride *= side) {
    spreadUpwards(least, stride, side);
    step += stride;
  }
  const kept = new Uint32Array(cells.length);
  let count = 0;
  for (let point = 0; point < cells.length; point++) {
    if ((last[point] as number) < (least[(cells[point] as number) - step] as number)) kept[count++] = point;
  }
  return kept.slice(0, count);
}

/** Appends to the cell of every point its bin, from 1 to side - 1, as a further digit. */
function addBins(cells: Uint32Array, side: number, values: Float64Array): void {
  const sample = new Float64Array(SAMPLE);
  for (let at = 0; at < SAMPLE; at++) sample[at] = values[Math.floor(((at * GOLDEN) % 1) * values.length)] as number;
  sample.sort();
  const edges = new Float64Array(side - 2);
  for (let at = 0; at < edges.length; at++) edges[at] = sample[Math.floor(((at + 1) * SAMPLE) / (side - 1))] as number;
  for (let point = 0; point < cells.length; point++) {
    const value = values[point] as number;
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((edges[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    cells[point] = (cells[point] as number) * side + low + 1;
  }
}

/** Gives every cell the least of itself and those below it along one digit. */
function spreadUpwards(least: Float64Array, stride: number, side: number): void {
  for (let cell = stride; cell < least.length; cell++) {
    const below = least[cell - stride] as number;
    if (Math.floor(cell / stride) % side > 0 && below < (least[cell] as number)) least[cell] = below;
  }
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
