/**
 * p-values adjusted for testing all of them at once, by Holm's step-down method: the chance of even one false finding stays below the level, however they depend on each other.
 *
 * @param p - each between 0 and 1
 * @returns in the same order; never below the p-value it belongs to
 * Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2).
 */
export function adjustHolm(p: readonly number[]): number[] {
  const order = p.map((_, index) => index).sort((a, b) => (p[a] as number) - (p[b] as number));
  const adjusted = new Array<number>(p.length);
  let largest = 0;
  for (const [place, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (p.length - place) * (p[index] as number)));
    adjusted[index] = largest;
  }
  return adjusted;
}
