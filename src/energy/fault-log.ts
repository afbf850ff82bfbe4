import type { EnergyFault, EnergyMeter } from './types.ts';

/** The faults of one meter. A trouble that lasts is one fault that grows, however often it is noted. */
export class FaultLog {
  readonly #faults: (EnergyFault & { readonly zone: string })[] = [];

  /**
   * Notes that `zone` lost count between two moments. Where the zone's last fault reaches past `fromNs`, that one grows
   * and keeps its reason.
   */
  note(zone: string, fromNs: number, atNs: number, reason: string): void {
    const last = this.#faults.findLastIndex((fault) => fault.zone === zone);
    const previous = this.#faults[last];
    if (previous !== undefined && previous.atNs > fromNs) this.#faults[last] = { ...previous, atNs };
    else this.#faults.push({ zone, fromNs, atNs, reason: `${zone} ${reason}` });
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  list(): EnergyFault[] {
    return this.#faults.map(({ fromNs, atNs, reason }) => ({ fromNs, atNs, reason }));
  }
}

/**
 * The faults that touch a window: a window for which this is not empty has no energy.
 *
 * Ask after the reading that closes the window, which is what notices the last of them.
 * @param startNs - start of the window on the machine's monotonic clock; a fault that ended right there does not count
 * @param endNs - its end
 */
export function faultsBetween(meter: Pick<EnergyMeter, 'faults'>, startNs: number, endNs: number): EnergyFault[] {
  return meter.faults.filter(({ fromNs, atNs }) => fromNs < endNs && atNs > startNs);
}
