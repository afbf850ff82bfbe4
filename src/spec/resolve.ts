import { FACTOR_NAMES, FACTORS, type FactorDefinition, isAppliedByServer } from './factors.ts';
import { DEFAULT_LOADS, type WrittenLoad } from './loads.ts';
import { toPopularity } from './popularity.ts';
import { energySchema, type WrittenSpec } from './schema.ts';
import type { TraceReader } from './traces.ts';
import type { EngineName, ExperimentSpec, GeneratorSpec, Level, Load, Scalar, ServerDescription } from './types.ts';

/**
 * Joins what was written and what was left out into the spec that every later step works from: levels get their names, load levels their definitions, and factors that are
 * neither varied nor fixed their default level.
 *
 * A load that is named but not defined gets the value `undefined`; `checkLoads` reports it. A trace that cannot be read has no rates; `checkPatterns` reports that.
 * @param data - the same file as plain data, for the scalars as they were written and the order of the factors
 * @param description - of a server other than dse's own, which has factors of its runtime only where it declares them
 */
export function resolveSpec(
  written: WrittenSpec,
  data: object,
  file: string,
  readTrace: TraceReader,
  description?: ServerDescription,
): ExperimentSpec {
  const source = data as {
    readonly factors?: Record<string, unknown[]>;
    readonly fixed?: Record<string, unknown>;
    readonly server?: { readonly engine?: EngineName };
  };
  const definedLoads = Object.entries(written.loads).map(([name, load]) => [name, resolveLoad(load, readTrace)]);
  const definitions: Readonly<Record<string, Load>> = { ...DEFAULT_LOADS, ...Object.fromEntries(definedLoads) };
  const level = (factor: string, parsed: unknown, scalarOrObject: unknown) =>
    resolveLevel(factor, parsed, scalarOrObject, { definitions, readTrace });

  const factors: Record<string, readonly Level[]> = {};
  for (const [factor, levels] of inOrderWritten(written.factors, source.factors)) {
    factors[factor] = (levels as unknown[]).map((parsed, at) => level(factor, parsed, source.factors?.[factor]?.[at]));
  }
  const fixed: Record<string, Level> = {};
  for (const [factor, parsed] of inOrderWritten(written.fixed, source.fixed)) {
    fixed[factor] = level(factor, parsed, source.fixed?.[factor]);
  }
  for (const factor of FACTOR_NAMES) {
    const { value }: FactorDefinition = FACTORS[factor];
    const defaultLevel = defaultLevelOf(factor, written.server, description);
    if (factor in factors || factor in fixed || defaultLevel === undefined) continue;
    fixed[factor] = level(factor, value.parse(defaultLevel), defaultLevel);
  }
  return {
    name: written.name,
    file,
    design: resolveDesign(written.design),
    server: {
      engine: written.server.url === undefined ? written.server.engine : (source.server?.engine ?? 'external'),
      readyTimeoutMs: written.server.ready_timeout,
      ...(written.server.cpuset === undefined ? {} : { cpuset: written.server.cpuset }),
      ...(written.server.gateway_cpuset === undefined ? {} : { gatewayCpuset: written.server.gateway_cpuset }),
      ...resolveContainer(written.server),
      ...(description === undefined ? {} : { description }),
      ...(written.server.url === undefined ? {} : { url: written.server.url }),
    },
    generator: {
      connections: written.generator.connections,
      ...resolveWorkload(written.generator),
      ...(written.generator.cpuset === undefined ? {} : { cpuset: written.generator.cpuset }),
    },
    factors,
    fixed,
    loads: loadsInUse([...(factors.load ?? []), ...(fixed.load === undefined ? [] : [fixed.load])]),
    exclude: written.exclude,
    measure: resolveMeasure(written.measure),
    ...(written.accuracy === undefined ? {} : { accuracy: written.accuracy }),
    energy: resolveEnergy(written.energy),
    objectives: written.objectives,
    ...(written.constraints === undefined ? {} : { constraints: written.constraints }),
    contexts: written.contexts,
  };
}

/** A server other than dse's own takes the first protocol it speaks, and of its runtime's factors only those it declares. */
function defaultLevelOf(
  factor: (typeof FACTOR_NAMES)[number],
  { url, description: file }: WrittenSpec['server'],
  description: ServerDescription | undefined,
): Scalar | undefined {
  const definition: FactorDefinition = FACTORS[factor];
  if (factor === 'protocol' && description !== undefined) return description.protocols[0];
  const isOther = url !== undefined || file !== undefined;
  const isDeclared = url === undefined && Object.hasOwn(description?.factors ?? {}, factor);
  return isOther && isAppliedByServer(definition) && !isDeclared ? undefined : definition.defaultLevel;
}

function inOrderWritten(parsed: Readonly<Record<string, unknown>>, source: object = {}): [string, unknown][] {
  return Object.keys(source)
    .filter((key) => parsed[key] !== undefined)
    .map((key) => [key, parsed[key]]);
}

function resolveLevel(
  factor: string,
  parsed: unknown,
  scalarOrObject: unknown,
  { definitions, readTrace }: { readonly definitions: Readonly<Record<string, Load>>; readonly readTrace: TraceReader },
): Level {
  if (typeof scalarOrObject === 'object' && scalarOrObject !== null) {
    const level = parsed as Level;
    return factor === 'load' ? { ...level, value: resolveLoad(level.value as WrittenLoad, readTrace) } : level;
  }
  const name = String(scalarOrObject as Scalar);
  if (factor !== 'load') return { name, value: parsed };
  return { name, value: Object.hasOwn(definitions, name) ? definitions[name] : undefined };
}

/** Puts the rates of a trace in the place of its file's name, so that the spec holds all of the load and a changed file is another load. */
function resolveLoad(load: WrittenLoad, readTrace: TraceReader): Load {
  if (load.kind === 'concurrency') return load;
  const { pattern, ...constant } = load;
  if (pattern === undefined) return constant;
  if (pattern.kind !== 'trace') return { ...constant, pattern };
  return { ...constant, pattern: { kind: 'trace', rates: readTrace(pattern.file).rates ?? [] } };
}

function loadsInUse(levels: readonly Level[]): Record<string, Load> {
  return Object.fromEntries(levels.map(({ name, value }) => [name, value as Load]));
}

/** Which requests are sent how often, where the file says so. */
function resolveWorkload({ popularity, inputs, spin }: WrittenSpec['generator']): Partial<GeneratorSpec> {
  return {
    ...(spin === 'always' && { spin }),
    ...(inputs !== undefined && { inputs }),
    ...(popularity !== undefined && { popularity: toPopularity(popularity) }),
  };
}

function resolveDesign({
  method,
  replicates,
  seed,
  points,
  fraction,
}: WrittenSpec['design']): ExperimentSpec['design'] {
  return {
    method,
    replicates,
    seed,
    ...(points === undefined ? {} : { points }),
    ...(fraction === undefined ? {} : { fraction }),
  };
}

function resolveContainer({
  image,
  base_image: baseImage,
  context,
  network,
  engine_args: engineArgs,
}: WrittenSpec['server']): Pick<ExperimentSpec['server'], 'container'> {
  const container = {
    ...(image !== undefined && { image }),
    ...(baseImage !== undefined && { baseImage }),
    ...(context !== undefined && { context }),
    ...(network !== undefined && { network }),
    ...(engineArgs !== undefined && { engineArgs }),
  };
  return Object.keys(container).length === 0 ? {} : { container };
}

function resolveMeasure(measure: WrittenSpec['measure']): ExperimentSpec['measure'] {
  return {
    warmupS: measure.warmup,
    maxWarmupS: measure.max_warmup,
    windowS: measure.window,
    windows: measure.windows,
    precision: measure.precision,
    confidence: measure.confidence,
    maxS: measure.max,
    timeoutMs: measure.timeout,
    calibrationS: measure.calibration,
    retries: measure.retries,
    idleGateS: measure.idle_gate,
    ...(measure.slo === undefined ? {} : { sloLatencyMs: measure.slo.latency_ms }),
  };
}

function resolveEnergy(energy: WrittenSpec['energy']): ExperimentSpec['energy'] {
  return {
    source: energy.source,
    powercapRoot: energy.powercap_root,
    hwmonRoot: energy.hwmon_root,
    idleS: energy.idle,
    estimate: { idleW: energy.estimate.idle_w, corePowerW: energy.estimate.core_power_w },
    ...(energy.command === undefined ? {} : { command: energy.command }),
  };
}

/** Energy settings of a spec that says nothing about energy. */
export function defaultEnergySpec(): ExperimentSpec['energy'] {
  return resolveEnergy(energySchema.parse({}));
}
