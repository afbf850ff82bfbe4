import type { DesignGenerator } from '../design/types.ts';
import type { EnergyMeter } from '../energy/types.ts';
import type { RunEvent } from '../events.ts';
import type { Launcher } from '../launch/types.ts';
import type { LoadDriver } from '../load/types.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import type { Store } from '../store/index.ts';

/** An event as the run tells it; the time is added where it is sent out. */
export type UntimedEvent = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'atMs'> : never) : never;

/** Power of the idle machine, measured before the first trial. */
export interface IdlePower {
  readonly powerW: number;
  readonly lo: number;
  readonly hi: number;
}

/** What every trial of a run works with; made once and never modified. */
export interface RunContext {
  readonly spec: ExperimentSpec;
  readonly design: DesignGenerator;
  readonly launcher: Launcher;
  readonly load: LoadDriver;
  readonly meter: EnergyMeter | undefined;
  readonly idlePower: IdlePower | undefined;
  readonly store: Store;
  /** By model and variant; read through `modelOf`. */
  readonly models: ReadonlyMap<string, ResolvedModel>;
  readonly cpus: {
    readonly server: string | undefined;
    readonly generator: string | undefined;
    readonly isShared: boolean;
  };
  readonly host: string;
  readonly runLabel: string;
  readonly emit: (event: UntimedEvent) => void;
  /** Aborted with `Interrupted` when the user ends the run. */
  readonly signal: AbortSignal;
}
