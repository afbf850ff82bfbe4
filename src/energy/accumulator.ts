import { NS_PER_S, UJ_PER_J } from '../units.ts';

/** What is known about an energy counter beforehand; it decides which differences can be believed. */
export interface CounterLimits {
  /** Value at which the counter returns to zero, microjoules; undefined where the kernel does not tell. */
  readonly rangeUj: number | undefined;
  /** The most that what it counts could ever draw, watts. */
  readonly maxPowerW: number;
  /** How long after it was drawn energy may still be missing from the counter, seconds. */
  readonly lagS: number;
}

export type Gain = { readonly ok: true; readonly gainedUj: number } | { readonly ok: false; readonly reason: string };

/**
 * Microjoules drawn between two readings of a counter that wraps, or why that cannot be told.
 *
 * The counter shows the energy E drawn so far modulo its range R. So the gain is `(after - before) mod R + k R` for
 * some k, and it lies between 0 and `maxPowerW * (gapS + lagS)`. Exactly one k within these bounds gives the true gain
 * whether or not the counter wrapped. None means that the counter was reset, went backwards or jumped; two mean that it
 * was read too seldom to tell. Without a range only k = 0 is left, and a counter that shows less than before has lost
 * count.
 * @param beforeUj - earlier reading, microjoules
 * @param afterUj - later reading, microjoules
 * @param gapS - time between them, seconds
 * Source: Linux kernel documentation, power/powercap/powercap.rst (`max_energy_range_uj`).
 */
export function gainBetween(beforeUj: number, afterUj: number, gapS: number, limits: CounterLimits): Gain {
  const { rangeUj, maxPowerW, lagS } = limits;
  const mostUj = maxPowerW * (gapS + lagS) * UJ_PER_J;
  const highestUj = Math.max(beforeUj, afterUj);
  if (rangeUj !== undefined && highestUj > rangeUj) {
    return lost(`showed ${highestUj} uJ, above its range of ${rangeUj} uJ`);
  }
  if (afterUj < beforeUj && rangeUj === undefined) {
    return lost(`fell from ${beforeUj} to ${afterUj} uJ, and its range is not known`);
  }
  const gainedUj = afterUj - beforeUj + (afterUj < beforeUj ? (rangeUj ?? 0) : 0);
  if (gainedUj > mostUj) {
    const change = `from ${beforeUj} to ${afterUj} uJ in ${gapS.toFixed(3)} s`;
    if (afterUj >= beforeUj) return lost(`jumped ${change}, more than ${maxPowerW} W`);
    return lost(`went backwards ${change}; as a wrap that would be more than ${maxPowerW} W`);
  }
  if (rangeUj !== undefined && gainedUj + rangeUj <= mostUj) {
    const range = `${(rangeUj / UJ_PER_J).toPrecision(3)} J`;
    return lost(`was not read for ${gapS.toFixed(3)} s, in which its ${range} may have wrapped more than once`);
  }
  return { ok: true, gainedUj };
}

function lost(reason: string): Gain {
  return { ok: false, reason };
}

/**
 * Cumulative joules of one wrapping counter, fed with its readings in order of time.
 *
 * Knows neither files nor clocks. A difference that cannot be believed adds nothing and is returned as a sentence;
 * counting goes on from the newer reading.
 */
export class EnergyAccumulator {
  readonly #limits: CounterLimits;
  #lastUj: number | undefined;
  #lastNs = 0;
  #totalUj = 0;

  constructor(limits: CounterLimits) {
    this.#limits = limits;
  }

  /** Joules since the first reading. Never falls. */
  get totalJ(): number {
    return this.#totalUj / UJ_PER_J;
  }

  /**
   * Takes one reading.
   *
   * @returns why the difference to the reading before could not be told; undefined where it could
   * @throws RangeError if `atNs` lies before the reading before
   */
  add(atNs: number, counterUj: number): string | undefined {
    if (atNs < this.#lastNs) throw new RangeError(`a reading at ${atNs} ns after one at ${this.#lastNs} ns`);
    const gapS = (atNs - this.#lastNs) / NS_PER_S;
    const gain = this.#lastUj === undefined ? undefined : gainBetween(this.#lastUj, counterUj, gapS, this.#limits);
    this.#lastUj = counterUj;
    this.#lastNs = atNs;
    if (gain?.ok) this.#totalUj += gain.gainedUj;
    return gain === undefined || gain.ok ? undefined : gain.reason;
  }
}

/**
 * How often a counter is to be read, milliseconds: four times within the shortest period in which it could wrap, and
 * between 50 ms and 1 s.
 *
 * Counters of unknown range are read every 100 ms, since the smallest wrap that they may have is not known.
 */
export function samplingIntervalMs(ranges: readonly (number | undefined)[], maxPowerW: number): number {
  const wrapPeriodsMs = ranges.map((rangeUj) =>
    rangeUj === undefined ? UNKNOWN_WRAP_MS : (rangeUj / UJ_PER_J / maxPowerW) * 1000,
  );
  return Math.min(1000, Math.max(50, Math.min(...wrapPeriodsMs) / 4));
}

const UNKNOWN_WRAP_MS = 400;
