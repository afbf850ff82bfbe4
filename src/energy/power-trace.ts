import { NS_PER_S } from '../units.ts';

/** What the sensors showed at one moment. */
export interface PowerSample {
  /** On the machine's monotonic clock. */
  readonly atNs: number;
  /** Zone -> watts. */
  readonly zonesW: Readonly<Record<string, number>>;
}

type Joules = Readonly<Record<string, number>>;

/**
 * Energy under a line of power samples, by the trapezoid rule: power is taken as linear between two samples.
 *
 * Knows neither sensors nor clocks. Exact for power that is linear between samples; what comes and goes between two of
 * them is not seen.
 */
export class PowerTrace {
  #previous: { readonly sample: PowerSample; readonly joules: Joules };
  #last: { readonly sample: PowerSample; readonly joules: Joules };

  constructor(first: PowerSample) {
    this.#last = { sample: first, joules: mapZones(first.zonesW, () => 0) };
    this.#previous = this.#last;
  }

  get last(): PowerSample {
    return this.#last.sample;
  }

  /**
   * Takes the next sample.
   *
   * @throws RangeError if it is not later than the one before, lacks one of its zones, or is negative
   */
  add(sample: PowerSample): void {
    const { atNs } = this.last;
    if (sample.atNs <= atNs) throw new RangeError(`a sample at ${sample.atNs} ns after one at ${atNs} ns`);
    for (const zone of Object.keys(this.last.zonesW)) {
      const watts = sample.zonesW[zone];
      if (watts === undefined || !(watts >= 0)) throw new RangeError(`${zone} shows ${watts} W`);
    }
    this.#previous = this.#last;
    this.#last = { sample, joules: this.#joulesUpTo(sample) };
  }

  /**
   * Joules by zone from the first sample to a moment between the last two samples (a moment outside is taken as the
   * nearer of them).
   */
  energyAt(atNs: number): Joules {
    const from = this.#previous.sample;
    const to = this.last;
    if (atNs >= to.atNs) return this.#last.joules;
    const share = Math.max(0, (atNs - from.atNs) / (to.atNs - from.atNs));
    const zonesW = mapZones(from.zonesW, (zone, watts) => watts + share * ((to.zonesW[zone] ?? 0) - watts));
    return this.#joulesUpTo({ atNs: Math.max(atNs, from.atNs), zonesW });
  }

  #joulesUpTo({ atNs, zonesW }: PowerSample): Joules {
    const { sample, joules } = this.#previous;
    const seconds = (atNs - sample.atNs) / NS_PER_S;
    return mapZones(joules, (zone, before) => {
      const meanW = ((sample.zonesW[zone] ?? 0) + (zonesW[zone] ?? 0)) / 2;
      return before + meanW * seconds;
    });
  }
}

function mapZones(zones: Joules, change: (zone: string, value: number) => number): Joules {
  return Object.fromEntries(Object.entries(zones).map(([zone, value]) => [zone, change(zone, value)]));
}
