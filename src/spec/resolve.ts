import { DEFAULT_LOADS, FACTOR_NAMES, FACTORS, type FactorDefinition } from './factors.ts';
import { energySchema, type WrittenSpec } from './schema.ts';
import type { ExperimentSpec, Level, Load, Scalar } from './types.ts';

/**
 * Joins what was written and what was left out into the spec that every later step works from: levels get their names, load levels their definitions, and factors that are
 * neither varied nor fixed their default level.
 *
 * A load that is named but not defined gets the value `undefined`; `checkLoads` reports it.
 * @param data - the same file as plain data, for the scalars as they were written and the order of the factors
 */
export function resolveSpec(written: WrittenSpec, data: object, file: string): ExperimentSpec {
  const source = data as { readonly factors?: Record<string, unknown[]>; readonly fixed?: Record<string, unknown> };
  const definitions: Readonly<Record<string, Load>> = { ...DEFAULT_LOADS, ...written.loads };
  const level = (factor: string, parsed: unknown, scalarOrObject: unknown) =>
    resolveLevel(factor, parsed, scalarOrObject, definitions);

  const factors: Record<string, readonly Level[]> = {};
  for (const [factor, levels] of inOrderWritten(written.factors, source.factors)) {
    factors[factor] = (levels as unknown[]).map((parsed, at) => level(factor, parsed, source.factors?.[factor]?.[at]));
  }
  const fixed: Record<string, Level> = {};
  for (const [factor, parsed] of inOrderWritten(written.fixed, source.fixed)) {
    fixed[factor] = level(factor, parsed, source.fixed?.[factor]);
  }
  for (const factor of FACTOR_NAMES) {
    const { defaultLevel, value }: FactorDefinition = FACTORS[factor];
    if (factor in factors || factor in fixed || defaultLevel === undefined) continue;
    fixed[factor] = level(factor, value.parse(defaultLevel), defaultLevel);
  }
  return {
    name: written.name,
    file,
    design: resolveDesign(written.design),
    server: {
      engine: written.server.engine,
      readyTimeoutMs: written.server.ready_timeout,
      ...(written.server.cpuset === undefined ? {} : { cpuset: written.server.cpuset }),
    },
    generator: {
      connections: written.generator.connections,
      ...(written.generator.cpuset === undefined ? {} : { cpuset: written.generator.cpuset }),
    },
    factors,
    fixed,
    loads: loadsInUse([...(factors.load ?? []), ...(fixed.load === undefined ? [] : [fixed.load])]),
    exclude: written.exclude,
    measure: resolveMeasure(written.measure),
    energy: resolveEnergy(written.energy),
    objectives: written.objectives,
    contexts: written.contexts,
  };
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
  definitions: Readonly<Record<string, Load>>,
): Level {
  if (typeof scalarOrObject === 'object' && scalarOrObject !== null) return parsed as Level;
  const name = String(scalarOrObject as Scalar);
  if (factor !== 'load') return { name, value: parsed };
  return { name, value: Object.hasOwn(definitions, name) ? definitions[name] : undefined };
}

function loadsInUse(levels: readonly Level[]): Record<string, Load> {
  return Object.fromEntries(levels.map(({ name, value }) => [name, value as Load]));
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
