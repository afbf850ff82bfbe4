import { z } from 'zod';
import { patternSchema, type WrittenPattern } from './patterns.ts';
import type { Arrivals, EngineName, Load, Scalar } from './types.ts';
import { choice, cpuList, memoryBytes, positiveNumber, text, wholeNumber } from './values.ts';

export type FactorGroup = 'model' | 'request' | 'runtime' | 'limit' | 'load' | 'colocation';

/** One thing an experiment may vary, or hold fixed. */
export interface FactorDefinition {
  readonly description: string;
  readonly group: FactorGroup;
  /** Parses one level from what the user wrote into the value that is applied. */
  readonly value: z.ZodType;
  /** Level used where the spec neither varies nor fixes the factor; undefined where nothing is then applied, or where the user must choose. */
  readonly defaultLevel: Scalar | undefined;
  /** Levels for messages that suggest one more. */
  readonly examples: readonly [Scalar, Scalar];
  /** Engines that can apply it. */
  readonly engines: readonly EngineName[];
}

const EVERY_ENGINE: readonly EngineName[] = ['native', 'docker', 'podman'];

/**
 * Names of variants: number formats, and a percentage of filters or weights removed before one.
 *
 * Only the form is checked here. Whether the variant can be made of the model is for `models/` to say, before anything starts.
 */
const REMOVAL = '(pruned|sparse)-[1-9]\\d?';
const NUMBER_FORMAT = 'fp16|int8-dynamic|int8-static(-(minmax|percentile|entropy))?';
const VARIANT = new RegExp(`^(fp32|(${REMOVAL}\\+)*(${REMOVAL}|${NUMBER_FORMAT}))$`);
const VARIANT_ERROR =
  'a variant that this version can make: fp32, fp16, int8-static, int8-dynamic, pruned-30, sparse-50, or such as pruned-30+int8-static';

const ARRIVALS = ['poisson', 'constant'] as const;

const loadShape = {
  utilization: z
    .number({ error: 'a share of capacity above 0 and at most 2, e.g. 0.6' })
    .positive({ error: 'a share of capacity above 0 and at most 2, e.g. 0.6' })
    .max(2, { error: 'a share of capacity above 0 and at most 2, e.g. 0.6' })
    .describe("Open loop at this share of the server configuration's own measured capacity; 0.9 is 90 %.")
    .optional(),
  rate: positiveNumber(40)
    .describe('Open loop at this many requests per second, the same for every configuration.')
    .optional(),
  concurrency: wholeNumber(1, 8)
    .describe('Closed loop: this many clients, each sends when it was answered.')
    .optional(),
  arrivals: choice(ARRIVALS).describe('Gaps between arrivals of an open loop; poisson where left out.').optional(),
  pattern: patternSchema
    .describe(
      'How the rate of an open loop moves from the first measurement window on; constant where left out. The warm-up is at the constant rate.',
    )
    .optional(),
};

type LoadKeys = z.output<z.ZodObject<typeof loadShape>>;

/** A load as the file says it: the trace of a pattern is still the name of a file. */
export type WrittenLoad =
  | Exclude<Load, { pattern?: unknown }>
  | ({ readonly arrivals: Arrivals; readonly pattern?: WrittenPattern } & (
      | { readonly kind: 'utilization'; readonly utilization: number }
      | { readonly kind: 'rate'; readonly rateRps: number }
    ));

const ONE_KIND = 'exactly one of utilization, rate or concurrency, e.g. { utilization: 0.6 }';

function hasOneKind({ utilization, rate, concurrency }: LoadKeys): boolean {
  return [utilization, rate, concurrency].filter((value) => value !== undefined).length === 1;
}

function isArrivalsOfOpenLoop({ concurrency, arrivals }: LoadKeys): boolean {
  return concurrency === undefined || arrivals === undefined;
}

function isPatternOfOpenLoop({ concurrency, pattern }: LoadKeys): boolean {
  return concurrency === undefined || pattern === undefined;
}

const CLOSED_LOOP_ARRIVALS = 'utilization or rate beside arrivals, or leave arrivals out: a closed loop has none';
const CLOSED_LOOP_PATTERN =
  'utilization or rate beside pattern, or leave pattern out: a closed loop has no rate to move';

function toLoad({ utilization, rate, concurrency, arrivals = 'poisson', pattern }: LoadKeys): WrittenLoad {
  const moves = pattern === undefined ? {} : { pattern };
  if (utilization !== undefined) return { kind: 'utilization', utilization, arrivals, ...moves };
  if (rate !== undefined) return { kind: 'rate', rateRps: rate, arrivals, ...moves };
  return { kind: 'concurrency', concurrency: concurrency as number };
}

/** A definition under `loads`. */
export const loadSchema = z
  .strictObject(loadShape, { error: ONE_KIND })
  .refine(hasOneKind, { error: ONE_KIND })
  .refine(isArrivalsOfOpenLoop, { error: CLOSED_LOOP_ARRIVALS })
  .refine(isPatternOfOpenLoop, { error: CLOSED_LOOP_PATTERN })
  .transform(toLoad);

/** A level of the load factor that brings its own definition: `{ name: burst, rate: 200 }`. */
const namedLoadSchema = z
  .strictObject({ name: text('a name, e.g. light').describe('Name of the level.'), ...loadShape }, { error: ONE_KIND })
  .refine(hasOneKind, { error: ONE_KIND })
  .refine(isArrivalsOfOpenLoop, { error: CLOSED_LOOP_ARRIVALS })
  .refine(isPatternOfOpenLoop, { error: CLOSED_LOOP_PATTERN })
  .transform(({ name, ...load }) => ({ name, value: toLoad(load) }));

/** Definitions of load levels that a spec may name without defining them. */
export const DEFAULT_LOADS: Readonly<Record<string, Load>> = {
  light: { kind: 'utilization', utilization: 0.3, arrivals: 'poisson' },
  medium: { kind: 'utilization', utilization: 0.6, arrivals: 'poisson' },
  high: { kind: 'utilization', utilization: 0.9, arrivals: 'poisson' },
};

/** Every factor by name. One entry here makes a factor known to the schema, its checks and its messages. */
export const FACTORS = {
  model: {
    description: 'Model served: a name dse knows (`dse models list`), or the path of an ONNX file.',
    group: 'model',
    value: text('the name of a model, or the path of an ONNX file, e.g. squeezenet1.1'),
    defaultLevel: undefined,
    examples: ['squeezenet1.1', 'mobilenetv2'],
    engines: EVERY_ENGINE,
  },
  variant: {
    description: 'Variant of the model: its number format, or how it was compressed.',
    group: 'model',
    value: z.string({ error: VARIANT_ERROR }).regex(VARIANT, { error: VARIANT_ERROR }),
    defaultLevel: 'fp32',
    examples: ['fp32', 'int8-static'],
    engines: EVERY_ENGINE,
  },
  batch: {
    description: 'Items (e.g. images) in one request.',
    group: 'request',
    value: wholeNumber(1, 4),
    defaultLevel: 1,
    examples: [1, 8],
    engines: EVERY_ENGINE,
  },
  sequence_length: {
    description:
      "Tokens of a text, or readings of a time series, in each item of a request, for models that leave it open. The model's own where left out.",
    group: 'request',
    value: wholeNumber(1, 128),
    defaultLevel: undefined,
    examples: [64, 128],
    engines: EVERY_ENGINE,
  },
  protocol: {
    description: 'Wire format of a request: tensors as JSON, or as bytes through the binary tensor extension.',
    group: 'request',
    value: choice(['rest-json', 'rest-binary']),
    defaultLevel: 'rest-binary',
    examples: ['rest-json', 'rest-binary'],
    engines: EVERY_ENGINE,
  },
  threads: {
    description: 'Threads of the runtime inside an operator (intra-op).',
    group: 'runtime',
    value: wholeNumber(1, 2),
    defaultLevel: 1,
    examples: [1, 2],
    engines: EVERY_ENGINE,
  },
  inter_op_threads: {
    description: 'Threads of the runtime across operators; used under `execution_mode: parallel` only.',
    group: 'runtime',
    value: wholeNumber(1, 2),
    defaultLevel: 1,
    examples: [1, 2],
    engines: EVERY_ENGINE,
  },
  execution_mode: {
    description: 'Whether independent operators of the graph run one after another or side by side.',
    group: 'runtime',
    value: choice(['sequential', 'parallel']),
    defaultLevel: 'sequential',
    examples: ['sequential', 'parallel'],
    engines: EVERY_ENGINE,
  },
  graph_optimization: {
    description: 'How far the runtime rewrites the graph before running it.',
    group: 'runtime',
    value: choice(['disabled', 'basic', 'extended', 'all']),
    defaultLevel: 'all',
    examples: ['disabled', 'all'],
    engines: EVERY_ENGINE,
  },
  spinning: {
    description:
      'Whether idle runtime threads spin, which costs CPU and energy between requests. Off unless asked for.',
    group: 'runtime',
    value: z.boolean({ error: 'true or false' }),
    defaultLevel: false,
    examples: [false, true],
    engines: EVERY_ENGINE,
  },
  cpus: {
    description: 'CPU quota of the server in CPUs: 0.5 is half of one. Not limited where left out.',
    group: 'limit',
    value: positiveNumber(0.5),
    defaultLevel: undefined,
    examples: [0.5, 1],
    engines: EVERY_ENGINE,
  },
  cpuset: {
    description: 'CPUs the server may run on, as a list such as "0-2,5". Where left out: `server.cpuset`.',
    group: 'limit',
    value: cpuList(),
    defaultLevel: undefined,
    examples: ['0', '0-1'],
    engines: EVERY_ENGINE,
  },
  memory: {
    description: 'Memory limit of the server; MB is 10^6 bytes, MiB 2^20. Not limited where left out.',
    group: 'limit',
    value: memoryBytes(),
    defaultLevel: undefined,
    examples: ['512MB', '1GB'],
    engines: EVERY_ENGINE,
  },
  colocated: {
    description: 'Models served beside the one under test. Only `none` in this version.',
    group: 'colocation',
    value: z.literal('none', { error: '"none": this version runs no neighbours' }),
    defaultLevel: 'none',
    examples: ['none', 'none'],
    engines: EVERY_ENGINE,
  },
  load: {
    description:
      'Load offered: a name defined under `loads`, one of light, medium, high, or a definition of its own such as { name: burst, rate: 200 }.',
    group: 'load',
    value: text('the name of a load, e.g. light'),
    defaultLevel: 'medium',
    examples: ['light', 'high'],
    engines: EVERY_ENGINE,
  },
} as const satisfies Readonly<Record<string, FactorDefinition>>;

export type FactorName = keyof typeof FACTORS;
export const FACTOR_NAMES = Object.keys(FACTORS) as readonly FactorName[];

export function findFactor(name: string): FactorDefinition | undefined {
  return Object.hasOwn(FACTORS, name) ? FACTORS[name as FactorName] : undefined;
}

/** Schema of one level of a factor: a scalar, or a value under a name of its own. */
export function levelSchema(name: FactorName): z.ZodType {
  const { value, group, description }: FactorDefinition = FACTORS[name];
  switch (group) {
    case 'load':
      return z.union([value, namedLoadSchema]).describe(description);
    case 'colocation':
      return value.describe(description);
    default:
      return z.union([value, namedLevelSchema(value)]).describe(description);
  }
}

function namedLevelSchema(value: z.ZodType) {
  return z.strictObject({ name: text('a name for the level').describe('Name of the level in tables.'), value });
}
