import type { DesignGenerator } from '../design/types.ts';
import type { IdlePower } from '../energy/index.ts';
import type { EnergyMeter } from '../energy/types.ts';
import type { RunEvent } from '../events.ts';
import type { Launcher } from '../launch/types.ts';
import type { LoadDriver } from '../load/types.ts';
import type { EvaluatedAccuracy, ModelProfile } from '../models/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import type { Store } from '../store/index.ts';
import type { RunCpus } from './neighbour-cpus.ts';

/** An event as the run tells it; the time is added where it is sent out. */
export type UntimedEvent = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'atMs'> : never) : never;

/** What the machine is like with nothing served, measured before each block. */
export interface IdleState {
  /** Undefined without a meter, and where others used the machine while it was measured. */
  readonly power: IdlePower | undefined;
  /** Why idle power is not known though there is a meter; absent where it is. */
  readonly unknownBecause?: string;
  /** Hottest thermal zone, degrees Celsius; undefined where the machine does not tell. */
  readonly temperatureC: number | undefined;
}

/** What every trial of a run works with; never modified. */
export interface RunContext {
  readonly spec: ExperimentSpec;
  readonly design: DesignGenerator;
  readonly launcher: Launcher;
  readonly load: LoadDriver;
  readonly meter: EnergyMeter | undefined;
  /** Of the block that is on. */
  readonly idle: IdleState;
  readonly store: Store;
  /** By model and variant; read through `modelOf`. */
  readonly models: ReadonlyMap<string, ResolvedModel>;
  readonly cpus: RunCpus;
  readonly host: string;
  /** By `profileKey`. */
  readonly profiles: ReadonlyMap<string, ModelProfile>;
  /** Of models whose requests carry no labels, by digest. */
  readonly accuracies: ReadonlyMap<string, EvaluatedAccuracy>;
  /** Highest rate the load generator sends on time on this machine. */
  readonly generatorCeilingRps: number | undefined;
  /** Capacities of neighbours, requests/s, by what decides them; filled as they are found. */
  readonly neighbourCapacities: Map<string, number>;
  readonly runLabel: string;
  readonly emit: (event: UntimedEvent) => void;
  /** Aborted with `Interrupted` when the user ends the run. */
  readonly signal: AbortSignal;
}
