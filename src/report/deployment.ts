import { stringify } from 'yaml';
import { quoteForShell } from '../shell-quote.ts';
import type { ExperimentSpec, Level } from '../spec/index.ts';
import type { Results } from '../store/index.ts';
import { BYTES_PER_MB } from '../units.ts';

/** How to run what was recommended. */
export interface Deployment {
  /** Lines for an experiment file. */
  readonly specFragment: string;
  /** A command that serves it; undefined for servers other than dse's own, and for plain tables. */
  readonly command: string | undefined;
  /** The same in a container; undefined where `command` is. */
  readonly container: ContainerDeployment | undefined;
  /** What the commands do not hold: what clients must send, and where the figures were measured. */
  readonly notes: readonly string[];
}

/** How to serve a configuration in a container. */
export interface ContainerDeployment {
  /** The command that builds the image, where it is dse's own. */
  readonly build: string | undefined;
  /** The command that serves, for a POSIX shell, over several lines. */
  readonly run: string;
  readonly notes: readonly string[];
}

/** Writes the container's commands; given by the caller, because what makes them is not for a report to know. @param levels - every factor's, fixed ones included */
export type DescribeContainer = (
  levels: Readonly<Record<string, Level>>,
  manifest: Results['manifest'],
) => ContainerDeployment;

const SERVE_OPTIONS: Readonly<Record<string, string>> = {
  threads: '--threads',
  inter_op_threads: '--inter-op-threads',
  execution_mode: '--execution-mode',
  graph_optimization: '--graph-optimization',
  instances: '--instances',
  max_queue: '--max-queue',
  deadline_ms: '--deadline',
  body_limit: '--body-limit',
  cache: '--cache',
};
const BATCHING_OPTIONS: Readonly<Record<string, string>> = {
  max_batch: '--max-batch',
  max_queue_delay_ms: '--max-queue-delay',
  preferred_batch: '--preferred-batches',
};
/** What stands behind the number of a level on the command line. */
const UNITS: Readonly<Record<string, string>> = { max_queue_delay_ms: 'ms', deadline_ms: 'ms' };
/** Where gRPC is usually served. */
const GRPC_PORT = 9000;
const CLIENT: readonly string[] = ['batch', 'protocol', 'sequence_length'];
/** Conditions of the measurement that the commands do not bring about. */
const CONDITIONS: readonly string[] = ['load', 'popularity', 'colocated', 'placement', 'max_loaded', 'cpu_frequency'];

/**
 * The spec fragment and the commands for one configuration.
 *
 * @param chosen - level names of the varied factors
 * @param results - the folders it comes from; none for a plain table, of which nothing but the names is known
 */
export function describeDeployment(
  chosen: Readonly<Record<string, string>>,
  results: readonly Results[],
  describeContainer: DescribeContainer,
): Deployment {
  const [first] = results;
  if (first === undefined)
    return { specFragment: stringify({ fixed: chosen }), command: undefined, container: undefined, notes: [] };
  const { spec } = first.manifest;
  const levels = levelsOf(chosen, results, spec);
  const isOwn = spec.server.description === undefined && spec.server.url === undefined;
  const fixed = Object.fromEntries(Object.entries(levels).map(([factor, level]) => [factor, writtenOf(factor, level)]));
  return {
    specFragment: stringify({ server: { engine: spec.server.engine }, fixed }),
    command: isOwn ? serveCommand(levels, spec.server.cpuset) : undefined,
    container: isOwn ? describeContainer(levels, first.manifest) : undefined,
    notes: notesOn(levels, chosen.host),
  };
}

/** A level as an experiment file has it; one that takes more than a line by its name. */
function writtenOf(factor: string, { name, value }: Level): unknown {
  switch (factor) {
    case 'memory':
    case 'body_limit':
      return `${Number(value) / BYTES_PER_MB}MB`;
    case 'cpu_frequency':
      return `${Number(value) / 1e3}MHz`;
    case 'popularity':
      return typeof value === 'string' ? value : { zipf: (value as { readonly exponent: number }).exponent };
    case 'preferred_batch':
      return value;
    default:
      return factor === 'load' || typeof value === 'object' ? name : value;
  }
}

/** The level of every factor: those chosen, and what was held fixed. */
function levelsOf(
  chosen: Readonly<Record<string, string>>,
  results: readonly Results[],
  { fixed }: ExperimentSpec,
): Readonly<Record<string, Level>> {
  const levels: Record<string, Level> = { ...fixed };
  for (const [factor, name] of Object.entries(chosen)) {
    const level = results
      .flatMap(({ manifest }) => [
        ...(manifest.spec.factors[factor] ?? []),
        ...(manifest.spec.fixed[factor] ? [manifest.spec.fixed[factor]] : []),
      ])
      .find((candidate) => candidate.name === name);
    if (level !== undefined) levels[factor] = level;
  }
  return levels;
}

function notesOn(levels: Readonly<Record<string, Level>>, host: string | undefined): string[] {
  const named = (factors: readonly string[]) =>
    factors
      .flatMap((factor) => {
        const level = levels[factor];
        return level === undefined || level.value === 'none' || level.value === 'off'
          ? []
          : [`${factor}=${level.name}`];
      })
      .join(', ');
  const [clients, conditions] = [named(CLIENT), named(CONDITIONS)];
  return [
    ...(clients === '' ? [] : [`Clients send ${clients}.`]),
    ...(levels.gateway?.value === 'on'
      ? [`Measured behind a gateway: \`${gatewayCommand(levels.protocol)}\` puts one in front.`]
      : []),
    ...(conditions === '' ? [] : [`Measured at ${conditions}; elsewhere another configuration may be best.`]),
    ...(host === undefined ? [] : [`Measured on ${host}.`]),
  ];
}

/** A gateway in front of what `serveCommand` starts. */
function gatewayCommand(protocol: Level | undefined): string {
  const rest = 'http://127.0.0.1:8080';
  return protocol?.value === 'grpc'
    ? `dse gateway --grpc-port ${GRPC_PORT + 1} --upstream ${rest},grpc://127.0.0.1:${GRPC_PORT}`
    : `dse gateway --upstream ${rest}`;
}

/** `dse serve`, inside a scope of systemd where resources are limited. */
function serveCommand(levels: Readonly<Record<string, Level>>, serverCpuset: string | undefined): string {
  const value = (factor: string) => levels[factor]?.value;
  const isOn = (factor: string) => ![undefined, 'off', 'none'].includes(value(factor) as string | undefined);
  const serve = [
    'dse serve',
    quoteForShell(String(value('model'))),
    ...(value('variant') === undefined || value('variant') === 'fp32'
      ? []
      : [`--variant ${quoteForShell(String(value('variant')))}`]),
    ...Object.entries({ ...SERVE_OPTIONS, ...(isOn('max_batch') ? BATCHING_OPTIONS : {}) }).flatMap(
      ([factor, option]) =>
        isOn(factor)
          ? [`${option} ${[writtenOf(factor, levels[factor] as Level)].flat().join(' ')}${UNITS[factor] ?? ''}`]
          : [],
    ),
    ...(value('spinning') === true ? ['--spinning'] : []),
    ...(value('protocol') === 'grpc' ? [`--grpc-port ${GRPC_PORT}`] : []),
  ].join(' ');
  const cpuset = value('cpuset') ?? serverCpuset;
  const limits = [
    ...(value('cpus') === undefined ? [] : [`-p CPUQuota=${Number(value('cpus')) * 100}%`]),
    ...(value('memory') === undefined ? [] : [`-p MemoryMax=${value('memory')}`]),
    ...(cpuset === undefined ? [] : [`-p AllowedCPUs=${cpuset}`]),
  ];
  return limits.length === 0 ? serve : `systemd-run --scope ${limits.join(' ')} ${serve}`;
}
