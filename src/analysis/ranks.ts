/** Ranks from 1, the mean of the places they share for equal values. */
export function rank(values: Float64Array): Float64Array {
  const order = sortedOrder(values);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    // Places from + 1 to `to`, whose mean is this.
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** Indices in ascending order of their values. */
export function sortedOrder(values: Float64Array): Uint32Array {
  return new Uint32Array(values.length)
    .map((_, index) => index)
    .sort((a, b) => (values[a] as number) - (values[b] as number));
}

/** Sizes of the groups of equal neighbours, those of one left out. */
export function tieSizes(sorted: Float64Array): number[] {
  const sizes: number[] = [];
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    if (to - from > 1) sizes.push(to - from);
    from = to;
  }
  return sizes;
}
