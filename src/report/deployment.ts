import { stringify } from 'yaml';
import type { Level } from '../spec/index.ts';
import type { Results } from '../store/index.ts';

/** How to run what was recommended. */
export interface Deployment {
  /** Lines for an experiment file. */
  readonly specFragment: string;
  /** A command that serves it; undefined for servers other than dse's own, and for plain tables. */
  readonly command: string | undefined;
  /** What the command does not hold: what clients must send, and where the figures were measured. */
  readonly notes: readonly string[];
}

const SERVE_OPTIONS: Readonly<Record<string, string>> = {
  threads: '--threads',
  inter_op_threads: '--inter-op-threads',
  execution_mode: '--execution-mode',
  graph_optimization: '--graph-optimization',
  instances: '--instances',
  max_queue: '--max-queue',
  cache: '--cache',
};
const BATCHING_OPTIONS: Readonly<Record<string, string>> = {
  max_batch: '--max-batch',
  max_queue_delay_ms: '--max-queue-delay',
  preferred_batch: '--preferred-batches',
};
/** Where gRPC is usually served. */
const GRPC_PORT = 9000;
const CLIENT: readonly string[] = ['batch', 'protocol', 'sequence_length'];

/**
 * The spec fragment and the command for one configuration.
 *
 * @param chosen - level names of the varied factors
 * @param results - the folders it comes from; none for a plain table, of which nothing but the names is known
 */
export function describeDeployment(chosen: Readonly<Record<string, string>>, results: readonly Results[]): Deployment {
  const [first] = results;
  if (first === undefined) return { specFragment: stringify({ fixed: chosen }), command: undefined, notes: [] };
  const { spec } = first.manifest;
  const levels: Record<string, Level> = { ...spec.fixed };
  for (const [factor, name] of Object.entries(chosen)) {
    const level = results
      .flatMap(({ manifest }) => [
        ...(manifest.spec.factors[factor] ?? []),
        ...(manifest.spec.fixed[factor] ? [manifest.spec.fixed[factor]] : []),
      ])
      .find((candidate) => candidate.name === name);
    if (level !== undefined) levels[factor] = level;
  }
  const isOwn = spec.server.description === undefined && spec.server.url === undefined;
  const fixed = Object.fromEntries(
    Object.entries(levels).map(([factor, { name, value }]) => [
      factor,
      factor === 'load' || typeof value === 'object' ? name : value,
    ]),
  );
  const clients = CLIENT.filter((factor) => levels[factor] !== undefined);
  return {
    specFragment: stringify({ server: { engine: spec.server.engine }, fixed }),
    command: isOwn ? serveCommand(levels, spec.server.cpuset) : undefined,
    notes: [
      ...(clients.length > 0
        ? [`Clients send ${clients.map((factor) => `${factor}=${levels[factor]?.name}`).join(', ')}.`]
        : []),
      ...(levels.load === undefined
        ? []
        : [`Measured at load=${levels.load.name}; at other loads another configuration may be best.`]),
      ...(chosen.host === undefined ? [] : [`Measured on ${chosen.host}.`]),
      ...(levels.variant !== undefined && levels.variant.name !== 'fp32'
        ? [`Make the variant first: dse models quantize, convert or prune (variant ${levels.variant.name}).`]
        : []),
    ],
  };
}

/** `dse serve`, inside a scope of systemd where resources are limited. */
function serveCommand(levels: Readonly<Record<string, Level>>, serverCpuset: string | undefined): string {
  const value = (factor: string) => levels[factor]?.value;
  const isVariant = levels.variant !== undefined && levels.variant.name !== 'fp32';
  const model = isVariant ? `${levels.model?.name}-${levels.variant?.name}.onnx` : String(value('model'));
  const isOn = (factor: string) => ![undefined, 'off', 'none'].includes(value(factor) as string | undefined);
  const serve = [
    'dse serve',
    quote(model),
    ...Object.entries({ ...SERVE_OPTIONS, ...(isOn('max_batch') ? BATCHING_OPTIONS : {}) }).flatMap(
      ([factor, option]) =>
        isOn(factor) ? [`${option} ${value(factor)}${factor === 'max_queue_delay_ms' ? 'ms' : ''}`] : [],
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

function quote(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
