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
  const ranks = new Uint32Array(values.length);
  for (let index = 0; index < values.length; index++) ranks[index] = find(distinct, size, values[index] as number);
  return { ranks, counts: counts.slice(0, size) };
}

/** Where `value` stands among the first `size` ascending values, of which it is one. */
function find(ascending: Float64Array, size: number, value: number): number {
  let low = 0;
  let high = size - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
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
