/** Time that the generator process passed in waiting for intended times in a spin. */
export interface SpinClock {
  /** Counts a stretch; what was counted already, because several loads waited at once, is not counted again. Stretches come in the order they end. */
  add(fromNs: number, untilNs: number): void;
  totalNs(): number;
}

export function createSpinClock(): SpinClock {
  let totalNs = 0;
  let countedUntilNs = Number.NEGATIVE_INFINITY;
  return {
    add(fromNs, untilNs) {
      const newFromNs = Math.max(fromNs, countedUntilNs);
      if (untilNs <= newFromNs) return;
      totalNs += untilNs - newFromNs;
      countedUntilNs = untilNs;
    },
    totalNs: () => totalNs,
  };
}
