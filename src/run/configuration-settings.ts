import type { PlannedTrial } from '../design/types.ts';
import type { LaunchRequest, Limits, RunningServer } from '../launch/types.ts';
import type { LoadTarget, OfferedLoad, Protocol } from '../load/types.ts';
import type { ResolvedModel } from '../models/types.ts';
import { deriveSeed } from '../rng.ts';
import type { ModelSettings, ServerSettings, ServingSettings } from '../server/types.ts';
import type { ExperimentSpec, GeneratorSpec, Level, Load, Popularity } from '../spec/types.ts';

/** A target that speaks KServe V2. */
export type InferenceTarget = Extract<LoadTarget, { kind: 'kserve' }>;

type Levels = Readonly<Record<string, Level>>;

/** Points a calibration takes where capacity is reached with two requests in flight, as with one session: 1, 2, 4, 8 and 16. */
export const CALIBRATION_POINTS = 5;

/** What is launched for a combination of levels: dse's own server, or the one the spec describes with its placeholders filled in. @param inside - models of neighbours that it serves too */
export function launchedServerOf(
  levels: Levels,
  model: ResolvedModel,
  { description, url }: ExperimentSpec['server'],
  inside: readonly ModelSettings[],
): Pick<LaunchRequest, 'settings' | 'other'> {
  if (description === undefined && url === undefined) return { settings: serverSettingsOf(levels, model, inside) };
  const settings = { models: [], host: '127.0.0.1', port: 0 };
  if (description === undefined) return { settings };
  const values = Object.entries(description.factors).flatMap(([factor, { values: told }]) => {
    const level = levels[factor];
    if (level === undefined) return [];
    return [[factor, told?.[String(level.value)] ?? String(level.value)] as const];
  });
  const { file, dataFiles } = model;
  return {
    settings,
    other: { description, values: Object.fromEntries(values), model: { name: servedName(model), file, dataFiles } },
  };
}

/** What dse's own server is told for a combination of levels. @param inside - models of neighbours that it serves too */
export function serverSettingsOf(
  levels: Levels,
  model: Pick<ResolvedModel, 'name' | 'file' | 'image'>,
  inside: readonly ModelSettings[] = [],
): ServerSettings {
  return {
    models: [{ name: servedName(model), file: model.file, ...servingOf(levels), ...imageOf(levels, model) }, ...inside],
    host: '127.0.0.1',
    port: 0,
    exitOnStdinEnd: true,
    ...(levelValue<Protocol>(levels, 'protocol') === 'grpc' && { grpcPort: 0 }),
    ...(isOff(levels.max_loaded) ? {} : { maxLoaded: levelValue<number>(levels, 'max_loaded') }),
    ...(levels.body_limit === undefined ? {} : { bodyLimitBytes: levelValue<number>(levels, 'body_limit') }),
  };
}

/** Told only to a server that is sent images; for the others nothing changes. */
function imageOf(levels: Levels, { image }: Pick<ResolvedModel, 'image'>): Pick<ModelSettings, 'image'> {
  return levelValue<Protocol>(levels, 'protocol') === 'image' ? { image } : {};
}

/** How a combination of levels has its model served. */
function servingOf(levels: Levels): ServingSettings {
  return {
    engine: {
      intraOpThreads: levelValue<number>(levels, 'threads'),
      interOpThreads: levelValue<number>(levels, 'inter_op_threads'),
      executionMode: levelValue<'sequential' | 'parallel'>(levels, 'execution_mode'),
      graphOptimization: levelValue<'disabled' | 'basic' | 'extended' | 'all'>(levels, 'graph_optimization'),
      spinning: levelValue<boolean>(levels, 'spinning'),
    },
    ...batchingOf(levels),
    ...(levels.instances === undefined ? {} : { instances: levelValue<number>(levels, 'instances') }),
    ...(levels.max_queue === undefined ? {} : { maxQueue: levelValue<number>(levels, 'max_queue') }),
    ...(isOff(levels.deadline_ms) ? {} : { deadlineMs: levelValue<number>(levels, 'deadline_ms') }),
    ...(isOff(levels.cache) ? {} : { cache: { entries: levelValue<number>(levels, 'cache') } }),
  };
}

function batchingOf(levels: Levels): Pick<ServingSettings, 'batching'> {
  if (isOff(levels.max_batch)) return {};
  const delayMs = levels.max_queue_delay_ms === undefined ? 0 : levelValue<number>(levels, 'max_queue_delay_ms');
  return {
    batching: {
      maxBatch: levelValue<number>(levels, 'max_batch'),
      maxQueueDelayMs: delayMs,
      preferredBatches: isOff(levels.preferred_batch)
        ? []
        : [levelValue<number | readonly number[]>(levels, 'preferred_batch')].flat(),
    },
  };
}

function isOff(level: Level | undefined): boolean {
  return level === undefined || level.value === 'off' || level.value === 'none';
}

/** The limits a combination of levels asks for; the CPU set is the factor's, or else the one chosen for the whole run. */
export function limitsOf(levels: Levels, serverCpuset: string | undefined): Limits {
  const cpuset = levels.cpuset === undefined ? serverCpuset : levelValue<string>(levels, 'cpuset');
  return {
    ...(cpuset === undefined ? {} : { cpuset }),
    ...(levels.cpus === undefined ? {} : { cpus: levelValue<number>(levels, 'cpus') }),
    ...(levels.memory === undefined ? {} : { memoryBytes: levelValue<number>(levels, 'memory') }),
    ...(levels.cpu_frequency === undefined ? {} : { cpuFrequencyKhz: levelValue<number>(levels, 'cpu_frequency') }),
  };
}

/** Where a configuration's requests go and what they carry; the samples and their order follow from the experiment's seed and the replicate. */
export function loadTargetOf(
  levels: Levels,
  model: ResolvedModel,
  { url, grpcAddress }: Pick<RunningServer, 'url' | 'grpcAddress'>,
  seed: number,
  api: InferenceTarget['api'] = 'kserve-v2',
  generator: Pick<GeneratorSpec, 'popularity' | 'inputs'> = {},
): InferenceTarget {
  const { inputs: distinct } = generator;
  const popularity = popularityOf(levels) ?? generator.popularity;
  return {
    kind: 'kserve',
    url,
    grpcAddress,
    modelName: servedName(model),
    api,
    protocol: levelValue<Protocol>(levels, 'protocol'),
    batch: levelValue<number>(levels, 'batch'),
    inputs: model.inputs,
    dims: model.dims,
    dataset: model.dataset,
    image: model.image,
    seed,
    ...(popularity === undefined ? {} : { popularity }),
    ...(distinct === undefined ? {} : { distinct }),
  };
}

/** The same requests, sent to a gateway. */
export function throughGateway(target: InferenceTarget, { url, grpcAddress }: RunningServer): InferenceTarget {
  return { ...target, url, grpcAddress };
}

/** A level of one word is written as it is, any other as the generator is told. */
function popularityOf({ popularity }: Levels): Popularity | undefined {
  if (popularity === undefined) return undefined;
  const { value } = popularity as { readonly value: 'in-turn' | 'uniform' | Popularity };
  return typeof value === 'string' ? { kind: value } : value;
}

/** A trial's load in requests per second, once the configuration's capacity is known. */
export function offeredLoadOf(trial: PlannedTrial, capacityRps: number, spec: ExperimentSpec): OfferedLoad {
  const load = loadOf(trial.levels, spec);
  switch (load.kind) {
    case 'concurrency':
      return { kind: 'closed', concurrency: load.concurrency };
    case 'rate':
      return openLoad(load.rateRps, load, trial, spec);
    case 'utilization':
      return openLoad(load.utilization * capacityRps, load, trial, spec);
  }
}

/** The definition behind a trial's load level. */
export function loadOf(levels: Levels, spec: ExperimentSpec): Load {
  const level = levels.load;
  const load = level === undefined ? undefined : spec.loads[level.name];
  if (load === undefined)
    throw new Error(`load level "${level?.name}" has no definition; the spec's check lets none through`);
  return load;
}

/** Seed of a trial's arrivals: the same for the same point and replicate, whatever else is in the design. */
export function arrivalSeedOf(trial: PlannedTrial, spec: ExperimentSpec): number {
  return deriveSeed(spec.design.seed, 'arrivals', trial.pointId, trial.replicate);
}

/** The level's value; every point has a level for each factor that serves a purpose here, by default or by the spec. */
export function levelValue<T>(levels: Levels, factor: string): T {
  const level = levels[factor];
  if (level === undefined) throw new Error(`the design point has no level of "${factor}"`);
  return level.value as T;
}

function openLoad(
  rateRps: number,
  { arrivals, pattern }: Exclude<Load, { kind: 'concurrency' }>,
  trial: PlannedTrial,
  spec: ExperimentSpec,
): OfferedLoad {
  return {
    kind: 'open',
    rateRps,
    arrivals,
    seed: arrivalSeedOf(trial, spec),
    connections: spec.generator.connections,
    ...(spec.generator.spin === undefined ? {} : { spin: spec.generator.spin }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

/** A model's name in the server's URL: its base name where it is a file. */
function servedName(model: Pick<ResolvedModel, 'name'>): string {
  return model.name.replace(/^.*[/\\]/, '').replace(/\.onnx$/, '');
}
