import type { Problem } from '../errors.ts';
import type { Limits, ServerExit } from '../launch/types.ts';
import type {
  ContainerSpec,
  EnergySpec,
  EngineName,
  ExperimentSpec,
  Level,
  Load,
  MeasureSpec,
  Popularity,
  Scalar,
  ServerDescription,
  Spin,
} from '../spec/types.ts';

/** Why a trial is not simply valid, with the figure that says so. */
export interface Reason {
  readonly code: ReasonCode;
  /** The figure and its limit in a sentence, e.g. "1.8 % of requests left over 1 ms late (limit 1 %)". */
  readonly detail: string;
}

export const REASON_CODES = [
  'overloaded',
  'errors',
  'generator-late',
  'generator-saturated',
  'shared-cpu',
  'unsteady',
  'too-few-samples',
  'host-busy',
  'throttled',
  'energy-unknown',
  'outcomes-unbalanced',
  'littles-law',
  'neighbour-died',
  'neighbour-behind',
  'neighbour-generator-shared',
  'superseded',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

export const VERDICTS = ['valid', 'overloaded', 'invalid'] as const;
/** `overloaded` is a finding about the server; only `invalid` trials are kept out of fronts. */
export type Verdict = (typeof VERDICTS)[number];

/** A measured value by column name. What was not measured is absent, never 0. */
export type Responses = Readonly<Record<string, number | string>>;

/** One measurement window, so that intervals can treat windows as what they are. */
export interface WindowRecord {
  readonly startNs: number;
  readonly endNs: number;
  readonly responses: Responses;
}

/** What every trial has, whatever became of it. */
export interface TrialBase {
  readonly kind: 'trial';
  /** Hash of everything that defines the trial; see `trialKey`. */
  readonly trialId: string;
  readonly pointId: string;
  readonly replicate: number;
  readonly block: number;
  readonly runOrder: number;
  /** From 1; counts up when an invalid trial is tried again. */
  readonly attempt: number;
  /** Level names by factor, fixed factors included. */
  readonly factors: Readonly<Record<string, Scalar>>;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationS: number;
  readonly engine: EngineName;
}

/** A finished trial. */
export type TrialRecord =
  | (TrialBase & {
      readonly state: 'done';
      readonly verdict: Verdict;
      readonly reasons: readonly Reason[];
      readonly responses: Responses;
      readonly windows: readonly WindowRecord[];
      /** Limits as read back, and how they were applied. */
      readonly applied: Limits;
      readonly mechanism: string;
      /** Digest of the image the server ran from; absent outside containers. */
      readonly imageDigest?: string;
      /** What ran beside it; absent where nothing did. */
      readonly neighbours?: readonly NeighbourRecord[];
    })
  | (TrialBase & {
      readonly state: 'failed';
      readonly phase: TrialPhase;
      readonly reason: string;
      readonly exit?: ServerExit;
    });

/** What a neighbour did during one trial's measured windows. */
export interface NeighbourRecord {
  readonly name: string;
  readonly model: string;
  readonly variant: string;
  /** Limits as read back, and how they were applied; absent where its model was inside the server under test. */
  readonly applied?: Limits;
  readonly mechanism?: string;
  /** By the names that the columns of `trials.csv` have for the server under test. */
  readonly responses: Responses;
  /** How it ended, where it did. */
  readonly exit?: ServerExit;
}

export const TRIAL_PHASES = [
  'launch',
  'ready',
  'calibrate',
  'idle-gate',
  'warm-up',
  'measure',
  'drain',
  'stop',
] as const;
export type TrialPhase = (typeof TRIAL_PHASES)[number];

/** What the machine drew with nothing served, and the meter that says so; measured before each block. */
export interface IdlePowerRecord {
  readonly kind: 'idle-power';
  readonly host: string;
  /** Block of the run order whose net energy it is subtracted from, from 1. */
  readonly block: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationS: number;
  /** As in the column `energy_source`. */
  readonly source: string;
  /** What the meter sums, e.g. "package-0 + dram-0 through /sys/class/powercap". */
  readonly description: string;
  /** True where the watts are computed from a model and not read from a sensor. */
  readonly isEstimate: boolean;
  /** What others did on the machine meanwhile, where that was more than a valid trial allows; the figure then counts for nothing, and net energies of the block are empty. */
  readonly disturbedBecause?: string;
  readonly powerW: number;
  /** Ends of the confidence interval of `powerW`, watts. */
  readonly lo: number;
  readonly hi: number;
}

/** What a model does with nothing around it on a machine. */
export interface ModelProfileRecord {
  readonly kind: 'model-profile';
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** SHA-256 of the file, hex, and after it the sizes of its open dimensions, e.g. "... sequence=128". */
  readonly model: string;
  /** Median of one item on one thread. */
  readonly bareLatencyMs: number;
  /** Highest rate of items over the batches tried, on one thread. */
  readonly bareThroughputIps: number;
}

/** How fast the load generator can send on time on a machine, measured against a server that answers at once. */
export interface GeneratorCeilingRecord {
  readonly kind: 'generator-ceiling';
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The highest rate held below the first that the generator missed by itself, requests/s; 0 where none was. */
  readonly ceilingRps: number;
  readonly steps: readonly {
    readonly rateRps: number;
    readonly achievedRps: number;
    /** Intended to sent; absent where there were too few requests. */
    readonly lagP50Ms?: number | undefined;
    readonly lagP99Ms?: number | undefined;
    /** Share of requests (0 to 1) that left over 1 ms late. */
    readonly lateShare: number;
    /** CPUs the generator was busy with. */
    readonly busyCpus: number;
    /** Share of the step (0 to 1) in which generator and server were kept from running, together; absent in records of earlier versions. */
    readonly cpuLostShare?: number | undefined;
    readonly isHeld: boolean;
  }[];
}

/** One line of the journal: a finished trial, or something measured of the machine that trials are read by. */
export type JournalRecord = TrialRecord | IdlePowerRecord | GeneratorCeilingRecord | ModelProfileRecord;

/** What a histogram is over: latencies, or how late requests were sent. */
export type HistogramKind = 'latency' | 'send-lag';

/** Something about a machine that can change a result, and how. */
export interface MachineFact {
  /** null where this machine does not tell. */
  readonly value: Scalar | null;
  /** Why it belongs to the result, e.g. "a governor other than performance lowers the clock between requests". */
  readonly why: string;
}

/** What is known of a machine that measures. Two fingerprints with equal facts are the same machine in the same state. */
export interface MachineFingerprint {
  /** As trials name it in `host`. */
  readonly host: string;
  readonly facts: Readonly<Record<string, MachineFact>>;
}

/** A model as it was served, so that a number can be traced to the file it came from. */
export interface ModelEntry {
  readonly name: string;
  readonly variant: string;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
  readonly isSynthetic: boolean;
  readonly params: number;
  /** Multiply-adds of one item; absent where they could not be counted. */
  readonly macs?: number;
  readonly sizeBytes: number;
  /** What was done to the model since its base file; absent where dse did nothing to it. */
  readonly lineage?: {
    /** SHA-256 of the file that the first step read, hex. */
    readonly base: string;
    readonly steps: readonly { readonly step: string; readonly [parameter: string]: string | number | boolean }[];
  };
  /** What a reader must know before trusting its answers or speed. */
  readonly caveats?: readonly string[];
}

/** What a run knows about itself when it opens a result folder. */
export interface ManifestInput {
  readonly dseVersion: string;
  /** The spec's name. A result folder holds one experiment. */
  readonly experiment: string;
  /** The resolved spec, seed included. */
  readonly spec: ExperimentSpec;
  /** Versions of what took part in measuring, e.g. node, onnxruntime-node, autocannon. */
  readonly versions: Readonly<Record<string, string>>;
  readonly models: readonly ModelEntry[];
  /** The machine that measures now. */
  readonly machine: MachineFingerprint;
}

/** `manifest.json`: all that can change a result, beside the trials themselves. */
export interface Manifest extends ManifestInput {
  readonly formatVersion: 1;
  /** See `MEASUREMENT_VERSION`. */
  readonly measurementVersion: number;
  /** When the folder was made; ISO 8601, UTC. */
  readonly createdAt: string;
  /** When this version of the manifest was written; ISO 8601, UTC. Earlier versions are kept under `manifests/`. */
  readonly updatedAt: string;
  /** Every machine (and state of one) that has opened this folder to measure. */
  readonly machines: readonly MachineFingerprint[];
}

/** Everything that defines a trial. What is not in here may change without the trial being run again. */
export interface TrialDefinition {
  /** Every factor's level, fixed factors included. */
  readonly levels: Readonly<Record<string, Level>>;
  /** What the trial's load level stands for. */
  readonly load: Load;
  readonly measure: MeasureSpec;
  readonly energy: EnergySpec;
  /** SHA-256 of the model file, hex. */
  readonly modelDigest: string;
  readonly engine: EngineName;
  /** How containers are made, where the engine makes some: image and network change the numbers. */
  readonly container?: ContainerSpec;
  /** A server other than dse's own, or the address of one that already runs. */
  readonly server?: ServerDescription;
  readonly url?: string;
  /** CPUs of the server and the generator; absent where they are not pinned. */
  readonly serverCpuset?: string;
  readonly generatorCpuset?: string;
  /** CPUs of the gateway, where there is one and the spec says. */
  readonly gatewayCpuset?: string;
  /** What neighbours depend on beside the level of `colocated`; absent where there are none. */
  readonly neighbours?: {
    /** SHA-256 of their model files, hex, in the order of the level. */
    readonly modelDigests: readonly string[];
    /** CPUs of their load generators. */
    readonly generatorCpuset?: string;
    /** Whether they are loaded from the load generator's own process; absent where not. */
    readonly sharesGenerator?: boolean;
  };
  /** When the load generator spins, where not near its sends only. */
  readonly spin?: Spin;
  /** Clients an open-loop load may have in flight. */
  /** How images become the model's input, where requests are images. */
  readonly image?: object;
  readonly connections: number;
  /** Which requests are sent how often, where the spec says so. */
  readonly popularity?: Popularity;
  readonly inputs?: number;
  /** Seed of the arrivals and of the sample inputs. */
  readonly seed: number;
  readonly replicate: number;
}

/**
 * A result folder that is open for measuring. One process holds it at a time; whoever opened it disposes it.
 *
 * What `append` has resolved for is on disk and survives a kill or a power loss. Calls may overlap and take effect in the order they were made.
 * Every method throws StoreError, having left what was recorded before as it was, where the file system refuses.
 */
export interface Store extends AsyncDisposable {
  readonly outDir: string;
  readonly manifest: Manifest;
  /** What was found wrong and survived while opening, e.g. a torn last line. */
  readonly warnings: readonly Problem[];
  /** Trials whose last attempt was measured (state `done`, whatever the verdict). A failed trial is not among them, so the next run tries it again. */
  finishedTrialIds(): ReadonlySet<string>;
  /** How many attempts of a trial the journal holds. */
  attempts(trialId: string): number;
  /** The latest ceiling of the load generator on a machine that the journal holds, requests/s. */
  generatorCeilingRps(host: string): number | undefined;
  /** The latest profile of a model on a machine that the journal holds; `model` as in its record. */
  modelProfile(host: string, model: string): ModelProfileRecord | undefined;
  append(record: JournalRecord): Promise<void>;
  /** Keeps a histogram of one attempt; written whole before its trial is appended, so a row never lacks its histogram. */
  writeHistogram(trialId: string, kind: HistogramKind, text: string, attempt?: number): Promise<void>;
  /** Keeps what one attempt measured second by second, as CSV; written like a histogram. */
  writeSeconds(trialId: string, csv: string, attempt?: number): Promise<void>;
  /** Where a server's output goes, e.g. `logPath('<configurationId>-b1')`. */
  logPath(name: string): string;
  /** Brings trials.csv up to date with the journal. Also done when the folder is opened and closed, and now and then between. */
  rebuildTrialsCsv(): Promise<void>;
}

/** A value of a table's cell; undefined where it was not measured. */
export type Cell = Scalar | undefined;

/** Everything a result folder says. */
export interface Results {
  readonly outDir: string;
  readonly manifest: Manifest;
  /** Every attempt, in the order they were recorded. */
  readonly records: readonly TrialRecord[];
  /** Every measurement of idle power, of the generator's ceiling and of bare models, in the order they were recorded. */
  readonly idlePower: readonly IdlePowerRecord[];
  readonly generatorCeilings: readonly GeneratorCeilingRecord[];
  readonly modelProfiles: readonly ModelProfileRecord[];
  /** The columns of trials.csv, in order. */
  readonly columns: readonly string[];
  /** The rows of trials.csv: the last attempt of each trial. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  readonly warnings: readonly Problem[];
}
