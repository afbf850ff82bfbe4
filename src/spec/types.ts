/**
 * What the experiment file says, after defaults: the frozen `ExperimentSpec` every later step works from.
 *
 * Kept apart from the schema that parses it so that the pure folders (`design`, `analysis`) and the engines can name these types without loading zod.
 */

/** A value a user may write for a level: a scalar, or a structured value under a name. */
export type Scalar = string | number | boolean;

/** One value of a factor. `name` is what tables, files and `exclude` rules show; `value` is what is applied. */
export interface Level {
  readonly name: string;
  readonly value: unknown;
}

/** Factors that are not part of a server configuration: points that differ only in these share one launch. */
export const LOAD_FACTORS: readonly string[] = ['load'];

/**
 * How the load of a level is offered. Rates are requests per second, utilization a share of the configuration's own measured capacity.
 *
 * A `pattern` begins with the first measurement window; the warm-up before it is at the constant rate.
 */
export type Load =
  | {
      readonly kind: 'utilization';
      readonly utilization: number;
      readonly arrivals: Arrivals;
      readonly pattern?: RatePattern;
    }
  | { readonly kind: 'rate'; readonly rateRps: number; readonly arrivals: Arrivals; readonly pattern?: RatePattern }
  | { readonly kind: 'concurrency'; readonly concurrency: number };

/**
 * The shape of a rate over time. Levels are multiples of the load's rate (1 is that rate itself) and times are seconds from the pattern's start, so one shape serves every
 * rate and every utilization.
 */
export type RatePattern =
  /** From one level to the other in a straight line within `overS`; the last level stays. */
  | { readonly kind: 'linear-ramp'; readonly from: number; readonly to: number; readonly overS: number }
  /** The same at a constant relative growth; both levels above 0. */
  | { readonly kind: 'exponential-ramp'; readonly from: number; readonly to: number; readonly overS: number }
  /** `base` until `atS`, then `level`, for `forS` seconds (a spike) or, without `forS`, for good (a step). */
  | {
      readonly kind: 'step';
      readonly base: number;
      readonly level: number;
      readonly atS: number;
      readonly forS?: number;
    }
  /** 1 + amplitude * sin(2 pi t / periodS); the amplitude lies in [0, 1]. */
  | { readonly kind: 'sine'; readonly amplitude: number; readonly periodS: number }
  /** One rate for each second, in any unit: scaled so that their mean is 1. Starts over when it has reached its end. */
  | { readonly kind: 'trace'; readonly rates: readonly number[] };

/**
 * A model served beside the one under test, in a process or container of its own, or under `placement: together` by the same server. It has a load of its own, held through
 * warm-up and measurement.
 */
export interface Neighbour {
  readonly name: string;
  readonly model: string;
  readonly variant: string;
  /** Items in one of its requests. */
  readonly batch: number;
  /** Threads of its runtime inside an operator. */
  readonly threads: number;
  /** CPU quota in CPUs. */
  readonly cpus?: number;
  /** In the kernel's list format. Absent: the CPUs of the server under test. */
  readonly cpuset?: string;
  readonly memoryBytes?: number;
  /** Utilization is a share of what the neighbour can answer while nothing else is under load. It has no pattern. */
  readonly load: Load;
}

export type Arrivals = 'poisson' | 'constant';

export type DesignMethod = 'full-factorial' | 'fractional-factorial' | 'random' | 'latin-hypercube';

export interface DesignSpec {
  readonly method: DesignMethod;
  /** Number of design points, for `random` and `latin-hypercube`. */
  readonly points?: number;
  /** Fraction 2^-p of the full two-level design, for `fractional-factorial`. */
  readonly fraction?: number;
  readonly replicates: number;
  readonly seed: number;
}

/** How servers are started; `external` is a server that already runs, which dse neither starts nor limits. */
export type EngineName = 'native' | 'docker' | 'podman' | 'external';

export interface ServerSpec {
  readonly engine: EngineName;
  /** CPUs the server may run on, in the kernel's list format, e.g. "0-3,6". Absent: chosen by dse, apart from the generator's. */
  readonly cpuset?: string;
  /** CPUs of the gateway, where there is one. Absent: those of the server. */
  readonly gatewayCpuset?: string;
  readonly readyTimeoutMs: number;
  /** How containers are made, where the spec says anything about it; of no meaning for the native engine. */
  readonly container?: ContainerSpec;
  /** A server other than dse's own. */
  readonly description?: ServerDescription;
  /** Base address of a server that already runs; `engine` is then `external`. */
  readonly url?: string;
}

/** The HTTP interface of a server: KServe V2, or TensorFlow Serving's predict. */
export type InferenceApi = 'kserve-v2' | 'tensorflow-serving';

/** A server other than dse's own, as its file describes it. Texts may hold placeholders such as `{model}`, `{http_port}` or `{threads}`. */
export interface ServerDescription {
  readonly name: string;
  readonly image: string;
  /** Program and arguments inside the container. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Ports by name inside a network of its own; `http` is where requests go. */
  readonly ports: Readonly<Record<string, number>>;
  readonly user?: string;
  /** Folders inside that it may write to. */
  readonly writable: readonly string[];
  /** Folder inside in which `files` are seen. */
  readonly modelsAt: string;
  readonly files: readonly LayoutFile[];
  /** Path that is answered with status 200, and a text that holds `contains`, once the model can be used. */
  readonly ready: { readonly path: string; readonly contains?: string };
  readonly api: InferenceApi;
  /** Levels of the factor `protocol` that it speaks. */
  readonly protocols: readonly string[];
  /** Factors of its runtime that it can apply, and for those with few levels what each is to it. */
  readonly factors: Readonly<Record<string, { readonly values?: Readonly<Record<string, string>> }>>;
}

/** A file of a server's model folder: the model itself, or a text. */
export type LayoutFile =
  | { readonly path: string; readonly from: 'onnx' | 'saved-model'; readonly text?: undefined }
  | { readonly path: string; readonly text: string; readonly from?: undefined };

/** Settings of engines that run containers; what is absent is the launcher's default. */
export interface ContainerSpec {
  readonly image?: string;
  readonly baseImage?: string;
  /** Host of the engine by name; its default where absent. */
  readonly context?: string;
  readonly network?: 'host' | 'published';
  readonly engineArgs?: readonly string[];
}

/** Which of the distinct requests is sent next: the next in turn, any with equal probability, or the k-th with a probability in proportion to 1/k^exponent. */
export type Popularity =
  | { readonly kind: 'in-turn' }
  | { readonly kind: 'uniform' }
  | { readonly kind: 'zipf'; readonly exponent: number };

/** When the generator of an open loop keeps its CPU busy instead of sleeping: only for the last two milliseconds before a send, or for as long as the load is on. */
export type Spin = 'near' | 'always';

export interface GeneratorSpec {
  readonly cpuset?: string;
  /** `near` where absent. */
  readonly spin?: Spin;
  /** Clients (connections) an open-loop load may have in flight at once. */
  readonly connections: number;
  /** How often each distinct request is sent; in turn where absent. */
  readonly popularity?: Popularity;
  /** Distinct requests; the load's own choice where absent. */
  readonly inputs?: number;
}

export interface MeasureSpec {
  /** `auto`: until steady. A number: that many seconds. */
  readonly warmupS: number | 'auto';
  /** Longest warm-up under `auto`, seconds. */
  readonly maxWarmupS: number;
  readonly windowS: number;
  /** Windows measured at least. */
  readonly windows: number;
  /**
   * Response -> largest relative half-width of its confidence interval (0.1 is 10 %); measurement goes on until all hold or `maxS` is reached. A load with a pattern has no
   * steady state to have an interval of, and is measured for `windows` only.
   */
  readonly precision: Readonly<Record<string, number>>;
  readonly confidence: number;
  /** Longest measurement, seconds, all windows together. */
  readonly maxS: number;
  readonly timeoutMs: number;
  /** A reply within this latency counts as goodput. */
  readonly sloLatencyMs?: number;
  /** About how long the closed-loop calibration of a server configuration takes, and so long again the search under `sloLatencyMs`, seconds. */
  readonly calibrationS: number;
  /** How often an invalid trial is tried again; every attempt stays in the journal. */
  readonly retries: number;
  /** Longest wait before a trial until CPU use by others, steal, temperature and power are back near their idle values, seconds. */
  readonly idleGateS: number;
}

export type EnergySource = 'auto' | 'rapl' | 'hwmon' | 'nvidia-smi' | 'command' | 'estimate' | 'none';

export interface EnergySpec {
  readonly source: EnergySource;
  /** Root of the powercap tree; a setting so that tests and containers may point it elsewhere. */
  readonly powercapRoot: string;
  readonly hwmonRoot: string;
  /** For `command`: prints the present power draw in watts on standard output. */
  readonly command?: string;
  /** How long idle power is measured before each block, seconds. */
  readonly idleS: number;
  /** Parameters of the estimate, watts: whole machine idle, and one fully busy core above idle. */
  readonly estimate: { readonly idleW: number; readonly corePowerW: number };
}

export interface Objective {
  readonly response: string;
  readonly direction: 'minimize' | 'maximize';
}

/** A gate: configurations that miss it stay out of the fronts. */
export interface Constraint {
  /** What is limited: a response, or a loss of one, named `<response>.loss`. */
  readonly response: string;
  readonly relation: '<=' | '>=';
  readonly limit: number;
  /** Where a loss is limited: the response whose loss it is, against the same configuration at the base variant. The limit is a share of the base's value. */
  readonly lossOf?: string;
}

export interface Exclusion {
  /** Factor -> the level (or levels) at which the rule applies, by level name or scalar. All must match. */
  readonly when: Readonly<Record<string, readonly string[]>>;
  readonly why: string;
}

/** Labelled samples for models that bring none of their own; relative paths start at the spec's folder. */
export interface AccuracySpec {
  readonly data: string;
  readonly labels?: string | undefined;
  /** The tensor fed is value * scale + offset. */
  readonly scale?: number | undefined;
  readonly offset?: number | undefined;
}

export interface ExperimentSpec {
  readonly name: string;
  /** The file it was read from, as the user gave it; relative paths in it start at its folder. */
  readonly file: string;
  readonly design: DesignSpec;
  readonly server: ServerSpec;
  readonly generator: GeneratorSpec;
  /** Varied factors in the order written, each with two or more levels. `load` is always present here or in `fixed`. */
  readonly factors: Readonly<Record<string, readonly Level[]>>;
  readonly fixed: Readonly<Record<string, Level>>;
  /** Definitions of the load levels by name. */
  readonly loads: Readonly<Record<string, Load>>;
  readonly exclude: readonly Exclusion[];
  readonly measure: MeasureSpec;
  readonly accuracy?: AccuracySpec;
  readonly energy: EnergySpec;
  readonly objectives: readonly Objective[];
  /** What a configuration must meet; absent where nothing was written. */
  readonly constraints?: readonly Constraint[];
  /** Factors that make up the environment across which results are compared. */
  readonly contexts: readonly string[];
}

/** What a spec is checked against besides itself: the machine that would run it, and the models dse knows. */
export interface HostFacts {
  /** Numbers of the CPUs this process may use. */
  readonly onlineCpus: readonly number[];
  readonly memoryBytes: number;
  /** As Node names it: "linux", "darwin", ... */
  readonly platform: string;
  readonly modelNames: readonly string[];
  isKnownModel(name: string): boolean;
  /**
   * The text of a file that a spec names, e.g. the trace of a load; undefined where it cannot be read. Without it no spec that names such a file is accepted.
   * @param path - from the folder the spec's own path starts at
   */
  readText(path: string): string | undefined;
}

export interface ParsedSpec {
  /** Deeply frozen, with every default filled in. */
  readonly spec: ExperimentSpec;
  /**
   * `file:line:column` of a value of the file, for problems that are found later, e.g. by a launcher. What the file leaves out is located at the nearest part around it that is written.
   * @param path - keys and list positions from the top, e.g. `['factors', 'batch', 0]`
   */
  locate(path: readonly (string | number)[]): string;
}
