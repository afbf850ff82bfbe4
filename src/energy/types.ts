/** The sources of energy figures that a trial may carry in `energy_source`. */
export type MeterSource = 'rapl' | 'hwmon' | 'nvidia-smi' | 'command' | 'estimate';

/** Cumulative energy by zone since the meter was opened, already unwrapped. */
export interface EnergyReading {
  /** When it was read, on the machine's monotonic clock. */
  readonly atNs: number;
  /** Zone name (e.g. "package-0", "dram-0") -> joules. Zones never overlap, so their sum is the total. */
  readonly zonesJ: Readonly<Record<string, number>>;
  /**
   * Zones that were read as well but overlap those of `zonesJ` (core and uncore inside a package, psys around it): to
   * look at, never to add.
   */
  readonly overlappingJ?: Readonly<Record<string, number>>;
}

/**
 * A source of cumulative energy.
 *
 * `read` may be called at any time and by several readers at once, and is cheap (well under a millisecond of CPU). It
 * never rejects, and readings never go backwards. A counter answers at once; a power sensor answers when its next
 * sample has come, with the energy up to the moment of the call. A meter that lost count (a wrap of unknown range, a
 * counter that vanished) says so in `faults`, which lists what happened since the meter was opened, with its time; a
 * window that overlaps a fault has no energy. Whoever opened a meter closes it.
 */
export interface EnergyMeter extends AsyncDisposable {
  readonly source: MeterSource;
  /** True where the joules are computed from a model and not read from a sensor. */
  readonly isEstimate: boolean;
  /** What is summed, for the manifest and for people, e.g. "package-0 + dram-0 through /sys/class/powercap". */
  readonly description: string;
  read(): Promise<EnergyReading>;
  readonly faults: readonly EnergyFault[];
}

/** A stretch of time over which a meter lost count. */
export interface EnergyFault {
  /** The last moment at which the count was known to be right, on the machine's monotonic clock. */
  readonly fromNs: number;
  /** The latest moment at which it was seen to be wrong; moves on while the fault lasts. */
  readonly atNs: number;
  readonly reason: string;
}

/** What was drawn between two readings. */
export interface EnergyUse {
  readonly totalJ: number;
  readonly zonesJ: Readonly<Record<string, number>>;
  readonly overlappingJ: Readonly<Record<string, number>>;
  readonly durationS: number;
  /** Mean power, `totalJ / durationS`. */
  readonly powerW: number;
}

/** Whether a source can be used here, and if not, why and what would open it. */
export type MeterProbe =
  | { readonly source: MeterSource; readonly isAvailable: true; readonly description: string }
  | { readonly source: MeterSource; readonly isAvailable: false; readonly why: string; readonly fix: string };
