import { messageOf } from '../errors.ts';
import { NS_PER_S } from '../units.ts';
import { type CounterLimits, EnergyAccumulator } from './accumulator.ts';
import type { FaultLog } from './fault-log.ts';

/** One energy counter of the machine. */
export interface CounterZone {
  readonly name: string;
  /** Value at which it returns to zero, microjoules; undefined where the kernel does not tell. */
  readonly rangeUj: number | undefined;
  /** Its present value, microjoules. Throws where it cannot be read. */
  readUj(): number;
}

/**
 * Counts one zone, and notes in the log whatever makes its count doubtful:
 *
 * - a difference that cannot be believed (see `gainBetween`): from the reading before to this one;
 * - a counter that cannot be read: from the last reading to the next;
 * - a counter that shows the same value for `stillS` or longer: from its last change to its next. A processor that is
 *   being read is awake and draws power, so a counter that stands still is broken whatever the load.
 */
export class ZoneCounter {
  readonly zone: CounterZone;
  readonly log: FaultLog;
  readonly #accumulator: EnergyAccumulator;
  readonly #stillNs: number;
  #last: { readonly atNs: number; readonly uj: number } | undefined;
  #movedNs = 0;
  #trouble: { readonly fromNs: number; readonly reason: string } | undefined;

  constructor(zone: CounterZone, limits: Omit<CounterLimits, 'rangeUj'> & { readonly stillS: number }, log: FaultLog) {
    this.zone = zone;
    this.log = log;
    this.#accumulator = new EnergyAccumulator({ ...limits, rangeUj: zone.rangeUj });
    this.#stillNs = limits.stillS * NS_PER_S;
  }

  get totalJ(): number {
    return this.#accumulator.totalJ;
  }

  /** Reads the counter and takes what it shows as its value at `atNs`. */
  sample(atNs: number): void {
    let uj: number;
    try {
      uj = this.zone.readUj();
    } catch (error) {
      this.#trouble ??= { fromNs: this.#last?.atNs ?? atNs, reason: `cannot be read: ${messageOf(error)}` };
      this.#noteTrouble(atNs);
      return;
    }
    this.#noteTrouble(atNs);
    this.#trouble = undefined;
    this.#count(atNs, uj);
  }

  #count(atNs: number, uj: number): void {
    const last = this.#last;
    this.#last = { atNs, uj };
    const doubt = this.#accumulator.add(atNs, uj);
    if (doubt !== undefined && last !== undefined) this.log.note(this.zone.name, last.atNs, atNs, doubt);
    if (uj !== last?.uj) this.#movedNs = atNs;
    if (atNs - this.#movedNs < this.#stillNs) return;
    this.#trouble = { fromNs: this.#movedNs, reason: `stands still at ${uj} uJ` };
    this.#noteTrouble(atNs);
  }

  #noteTrouble(atNs: number): void {
    if (this.#trouble !== undefined) this.log.note(this.zone.name, this.#trouble.fromNs, atNs, this.#trouble.reason);
  }
}
