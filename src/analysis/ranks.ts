/** Values by rank: equal values have equal ranks, and ranks are counted without gaps from 0. */
export interface DenseRanks {
  readonly ranks: Uint32Array;
  /** How many values have each rank. */
  readonly counts: Uint32Array;
}

/** Dense ranks of finite values, ascending. */
export function rankDensely(values: Float64Array): DenseRanks {
  // Sorting numbers and searching them is several times faster than sorting indices by a comparison.
  const distinct = values.toSorted();
  const counts = new Uint32Array(values.length);
  let size = 0;
  for (const value of distinct) {
    if (size > 0 && value === distinct[size - 1]) {
      counts[size - 1] = (counts[size - 1] as number) + 1;
    } else {
      distinct[size] = value;
      counts[size] = 1;
      size++;
    }
  }
  const find = createSearch(distinct.subarray(0, size));
  const ranks = new Uint32Array(values.length);
  for (let index = 0; index < values.length; index++) ranks[index] = find(values[index] as number);
  return { ranks, counts: counts.slice(0, size) };
}

/**
 * Finds where a value stands among ascending ones, of which it is one.
 *
 * As many bins of equal width as there are values narrow down where to look, mostly to one place; values that crowd into few bins are searched by halves.
 */
function createSearch(ascending: Float64Array): (value: number) => number {
  const size = ascending.length;
  const least = ascending[0] as number;
  const perUnit = size / ((ascending[size - 1] as number) - least);
  // A range beyond what a number holds, or of nothing, leaves one bin.
  const binOf = (value: number) => (Number.isFinite(perUnit) ? Math.floor((value - least) * perUnit) : 0);
  const starts = new Uint32Array(size + 2);
  for (let at = 0; at < size; at++) starts[binOf(ascending[at] as number) + 1] = at + 1;
  for (let bin = 1; bin < starts.length; bin++)
    starts[bin] = Math.max(starts[bin] as number, starts[bin - 1] as number);
  return (value) => {
    const bin = binOf(value);
    let low = starts[bin] as number;
    let high = (starts[bin + 1] as number) - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ascending[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Ranks from 1, the mean of the places they share for equal values. */
export function shareRanks({ ranks, counts }: DenseRanks): Float64Array {
  const shared = new Float64Array(counts.length);
  let before = 0;
  for (let rank = 0; rank < counts.length; rank++) {
    const count = counts[rank] as number;
    shared[rank] = before + (count + 1) / 2;
    before += count;
  }
  const result = new Float64Array(ranks.length);
  for (let index = 0; index < ranks.length; index++) result[index] = shared[ranks[index] as number] as number;
  return result;
}

/** The same items in ascending order of their ranks; items of equal rank stay in the order given (counting sort). */
export function sortByRank(items: Uint32Array, { ranks, counts }: DenseRanks): Uint32Array {
  const next = new Uint32Array(counts.length);
  for (let rank = 1; rank < counts.length; rank++)
    next[rank] = (next[rank - 1] as number) + (counts[rank - 1] as number);
  const sorted = new Uint32Array(items.length);
  for (const item of items) {
    const rank = ranks[item] as number;
    const at = next[rank] as number;
    sorted[at] = item;
    next[rank] = at + 1;
  }
  return sorted;
}

/** 0, 1, ... count - 1. */
export function indicesUpTo(count: number): Uint32Array {
  const indices = new Uint32Array(count);
  for (let index = 0; index < count; index++) indices[index] = index;
  return indices;
}
