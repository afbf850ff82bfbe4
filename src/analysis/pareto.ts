/** One objective's values, lower is better, beside those of the others. */
type Costs = readonly Float64Array[];

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
  objectives: readonly { readonly values: Float64Array; readonly direction: 'minimize' | 'maximize' }[],
): Uint8Array {
  const costs = objectives.map(({ values, direction }) =>
    direction === 'minimize' ? values : values.map((value) => -value),
  );
  const count = costs[0]?.length ?? 0;
  const order = new Uint32Array(count).map((_, index) => index).sort((a, b) => compareCosts(costs, a, b));
  const isDominated = createDominanceTest(costs, order);

  const onFront = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    const point = order[at] as number;
    const previous = order[at - 1];
    // In this order only an earlier point can dominate a later one, and equal points are neighbours with one fate.
    if (previous !== undefined && compareCosts(costs, previous, point) === 0)
      onFront[point] = onFront[previous] as number;
    else onFront[point] = isDominated(point) ? 0 : 1;
  }
  return onFront;
}

/** Lexicographic order of two points. */
function compareCosts(costs: Costs, a: number, b: number): number {
  for (const cost of costs) {
    const difference = (cost[a] as number) - (cost[b] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A test that is asked about distinct points in lexicographic order, and says whether one it was asked about before dominates. */
function createDominanceTest(costs: Costs, order: Uint32Array): (point: number) => boolean {
  const [, second, third] = costs;
  if (second === undefined) return createFirstOnlyTest();
  if (third === undefined) return createTwoCostTest(second);
  if (costs.length === 3) return createThreeCostTest(second, third, order);
  return createManyCostTest(costs);
}

/** One objective: only the first distinct point is best. */
function createFirstOnlyTest(): () => boolean {
  let asked = false;
  return () => {
    const dominated = asked;
    asked = true;
    return dominated;
  };
}

function createTwoCostTest(second: Float64Array): (point: number) => boolean {
  let least = Number.POSITIVE_INFINITY;
  return (point) => {
    const cost = second[point] as number;
    if (least <= cost) return true;
    least = cost;
    return false;
  };
}

/** Keeps, in a Fenwick tree over the ranks of the second cost, the least third cost up to each rank. */
function createThreeCostTest(
  second: Float64Array,
  third: Float64Array,
  order: Uint32Array,
): (point: number) => boolean {
  const rankOf = new Uint32Array(order.length);
  let rank = 0;
  let previous: number | undefined;
  for (const point of order.slice().sort((a, b) => (second[a] as number) - (second[b] as number))) {
    const cost = second[point] as number;
    if (cost !== previous) rank++;
    rankOf[point] = rank;
    previous = cost;
  }
  const least = new Float64Array(rank + 1).fill(Number.POSITIVE_INFINITY);
  return (point) => {
    const cost = third[point] as number;
    for (let node = rankOf[point] as number; node > 0; node -= node & -node) {
      if ((least[node] as number) <= cost) return true;
    }
    for (let node = rankOf[point] as number; node <= rank; node += node & -node) {
      if (cost < (least[node] as number)) least[node] = cost;
    }
    return false;
  };
}

function createManyCostTest(costs: Costs): (point: number) => boolean {
  const front: number[] = [];
  return (point) => {
    if (front.some((other) => costs.every((cost) => (cost[other] as number) <= (cost[point] as number)))) return true;
    front.push(point);
    return false;
  };
}
