/**
 * Volume that some points dominate, up to a reference point; all objectives to be minimised.
 *
 * Takes O(n log n) for two objectives, and n times that for every further one. A point that is not better than the reference in every objective adds nothing.
 * @param points - one array of objectives per point
 * @param reference - as many objectives
 * Source: Zitzler, Thiele (1998), "Multiobjective optimization using evolutionary algorithms", PPSN V; by slices, While et al. (2006), IEEE Transactions on Evolutionary
 * Computation 10(1).
 */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const inside = points.filter((point) => point.every((value, k) => value < (reference[k] as number)));
  if (inside.length === 0) return 0;
  return slice(inside, reference, reference.length);
}

/** The volume in the first `k` objectives. */
function slice(points: readonly (readonly number[])[], reference: readonly number[], k: number): number {
  const last = k - 1;
  const sorted = points.toSorted((a, b) => (a[last] as number) - (b[last] as number));
  if (k === 1) return (reference[0] as number) - ((sorted[0] as readonly number[])[0] as number);
  let volume = 0;
  if (k === 2) {
    let least = reference[0] as number;
    for (const [at, point] of sorted.entries()) {
      least = Math.min(least, point[0] as number);
      const next = sorted[at + 1]?.[1] ?? (reference[1] as number);
      volume += (next - (point[1] as number)) * ((reference[0] as number) - least);
    }
    return volume;
  }
  // Between two neighbours in the last objective, all points up to there dominate the same area in the others.
  for (let at = 0; at < sorted.length; at++) {
    const next = sorted[at + 1]?.[last] ?? (reference[last] as number);
    const height = next - ((sorted[at] as readonly number[])[last] as number);
    if (height > 0) volume += height * slice(sorted.slice(0, at + 1), reference, last);
  }
  return volume;
}
