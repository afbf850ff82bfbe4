import { z } from 'zod';
import { namedLoadSchema } from './loads.ts';
import { NEIGHBOUR_ERROR, neighbourListSchema, neighbourSchema } from './neighbours.ts';
import { plainPopularity, zipfLevel } from './popularity.ts';
import type { EngineName, Scalar } from './types.ts';
import { choice, cpuList, frequencyKhz, memoryBytes, positiveNumber, text, wholeNumber } from './values.ts';
import { BASE_VARIANT, variantName } from './variants.ts';

export type FactorGroup = 'model' | 'request' | 'runtime' | 'limit' | 'load' | 'colocation' | 'placement' | 'front';

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
  /** Engines that can apply it, where dse starts the server. */
  readonly engines: readonly EngineName[];
}

const EVERY_ENGINE: readonly EngineName[] = ['native', 'docker', 'podman'];

const CACHE_ERROR = 'off, or the answers remembered, e.g. { entries: 100 }';

/** A level of the cache by what it is: `{ entries: 100 }` is called 100. */
const cacheEntriesSchema = z
  .strictObject(
    { entries: wholeNumber(1, 100).describe('Most answers remembered; inputs and answers take 256 MB at most.') },
    { error: CACHE_ERROR },
  )
  .transform(({ entries }) => ({ name: String(entries), value: entries }));

const PREFERRED_ERROR = 'none, a whole number of items, e.g. 4, or a list of such, e.g. [2, 4]';

/** A level of several preferred sizes: `[2, 4]` is called 2+4. */
const preferredSizesSchema = z
  .array(wholeNumber(1, 4), { error: PREFERRED_ERROR })
  .min(1, { error: PREFERRED_ERROR })
  .transform((sizes) => ({ name: sizes.join('+'), value: sizes }));

/** Levels that are neither a scalar nor a value under a name, by factor. */
const STRUCTURED_LEVELS: Readonly<Partial<Record<string, z.ZodType>>> = {
  cache: cacheEntriesSchema,
  preferred_batch: preferredSizesSchema,
  popularity: zipfLevel,
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
    value: variantName(),
    defaultLevel: BASE_VARIANT,
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
    description:
      'Protocol of a request: over REST tensors as JSON, or as bytes through the binary tensor extension; over gRPC as bytes; or one JPEG or PNG image, which the server decodes, answering with classes.',
    group: 'request',
    value: choice(['rest-json', 'rest-binary', 'grpc', 'image']),
    defaultLevel: 'rest-binary',
    examples: ['rest-json', 'rest-binary'],
    engines: EVERY_ENGINE,
  },
  popularity: {
    description:
      'How often each of the distinct requests is sent, as `generator.popularity`: in-turn, uniform, or { zipf: 1.0 }. That of the generator where left out.',
    group: 'request',
    value: plainPopularity,
    defaultLevel: undefined,
    examples: ['uniform', '{ zipf: 1.0 }'],
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
  instances: {
    description:
      'Sessions of the runtime over the model, each with its own thread, `threads` and copy of the weights. 1 where left out.',
    group: 'runtime',
    value: wholeNumber(1, 2),
    defaultLevel: undefined,
    examples: [1, 2],
    engines: EVERY_ENGINE,
  },
  max_batch: {
    description:
      'Dynamic batching: most items that waiting requests are joined to and run as; apart from `batch`, the items in one request. `off` where left out.',
    group: 'runtime',
    value: z.union([z.literal('off'), wholeNumber(1, 8)], { error: 'off, or a whole number of items, e.g. 8' }),
    defaultLevel: undefined,
    examples: ['off', 8],
    engines: EVERY_ENGINE,
  },
  max_queue_delay_ms: {
    description:
      'Dynamic batching: longest time a request waits for others to be joined with, milliseconds; of no effect where `max_batch` is off. 0 where left out.',
    group: 'runtime',
    value: z
      .number({ error: 'a number of milliseconds, e.g. 2' })
      .min(0, { error: 'a number of milliseconds, e.g. 2' }),
    defaultLevel: undefined,
    examples: [0, 2],
    engines: EVERY_ENGINE,
  },
  preferred_batch: {
    description:
      'Dynamic batching: number of items that is run without waiting for more, or a list of such numbers; of no effect where `max_batch` is off. `none` where left out.',
    group: 'runtime',
    value: z.union([z.literal('none'), wholeNumber(1, 4)], { error: PREFERRED_ERROR }),
    defaultLevel: undefined,
    examples: ['none', 4],
    engines: EVERY_ENGINE,
  },
  cache: {
    description:
      'Answers remembered by the server and given again to the same inputs, as { entries: 100 }, the least recently used going first. `off` where left out. See `generator.popularity`.',
    group: 'runtime',
    value: z.union([z.literal('off'), wholeNumber(1, 100)], { error: CACHE_ERROR }),
    defaultLevel: undefined,
    examples: ['off', '{ entries: 100 }'],
    engines: EVERY_ENGINE,
  },
  max_queue: {
    description: 'Requests that may wait for the runtime; the server refuses more with 429. 1000 where left out.',
    group: 'runtime',
    value: wholeNumber(1, 100),
    defaultLevel: undefined,
    examples: [10, 1000],
    engines: EVERY_ENGINE,
  },
  deadline_ms: {
    description:
      'How long after its arrival a request has to have been started on, milliseconds; the server answers 504 to what still waits then. `off` where left out.',
    group: 'runtime',
    value: z.union([z.literal('off'), positiveNumber(50)], { error: 'off, or a number of milliseconds, e.g. 50' }),
    defaultLevel: undefined,
    examples: ['off', 50],
    engines: EVERY_ENGINE,
  },
  body_limit: {
    description: 'Largest request body; the server answers 413 to larger ones. 256MB where left out.',
    group: 'runtime',
    value: memoryBytes(),
    defaultLevel: undefined,
    examples: ['1MB', '256MB'],
    engines: EVERY_ENGINE,
  },
  max_loaded: {
    description:
      'Models that are loaded at a time where one server has several (`placement: together`); the one used longest ago makes room. `off` where left out.',
    group: 'runtime',
    value: z.union([z.literal('off'), wholeNumber(1, 1)], { error: 'off, or a whole number of models, e.g. 1' }),
    defaultLevel: undefined,
    examples: ['off', 1],
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
  cpu_frequency: {
    description:
      'Clock that the CPUs of the server are held at, where the kernel can set it (cpufreq) and dse runs as root; put back afterwards. As the governor sets it where left out.',
    group: 'limit',
    value: frequencyKhz(),
    defaultLevel: undefined,
    examples: ['1.2GHz', '2.4GHz'],
    engines: EVERY_ENGINE,
  },
  colocated: {
    description:
      'Models served beside the one under test, each under a load of its own that is held through warm-up and measurement: `none`, one neighbour such as { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or a list of several.',
    group: 'colocation',
    value: z.literal('none', { error: NEIGHBOUR_ERROR }),
    defaultLevel: 'none',
    examples: ['none', '{ name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }'],
    engines: EVERY_ENGINE,
  },
  placement: {
    description:
      'Whether a neighbour is a server of its own (apart), or its model is served by the same server as the one under test (together). Apart where left out.',
    group: 'placement',
    value: choice(['together', 'apart']),
    defaultLevel: undefined,
    examples: ['apart', 'together'],
    engines: EVERY_ENGINE,
  },
  gateway: {
    description:
      'Whether one address stands in front of the server and its neighbours (`dse gateway`), through which all requests then go. Off where left out. See `server.gateway_cpuset`.',
    group: 'front',
    value: choice(['off', 'on']),
    defaultLevel: undefined,
    examples: ['off', 'on'],
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

/** Groups that are applied by what is sent, by the file that is served or by the engine, whatever the server is. */
const APPLIED_AROUND: readonly FactorGroup[] = [
  'model',
  'request',
  'limit',
  'load',
  'colocation',
  'placement',
  'front',
];

/** Whether it takes the server itself to apply a factor, so that a server other than dse's own has to declare it. */
export function isAppliedByServer({ group }: Pick<FactorDefinition, 'group'>): boolean {
  return !APPLIED_AROUND.includes(group);
}

/** Schema of one level of a factor: a scalar, or a value under a name of its own. */
export function levelSchema(name: FactorName): z.ZodType {
  const { value, group, description }: FactorDefinition = FACTORS[name];
  const structured = STRUCTURED_LEVELS[name];
  switch (group) {
    case 'load':
      return z.union([value, namedLoadSchema]).describe(description);
    case 'colocation':
      // Named levels of one and of several neighbours; an object is what stands last (see `parseWritten`).
      return z.union([value, neighbourListSchema, neighbourSchema]).describe(description);
    default:
      return z
        .union([value, namedLevelSchema(value), ...(structured === undefined ? [] : [structured])])
        .describe(description);
  }
}

function namedLevelSchema(value: z.ZodType) {
  return z.strictObject({ name: text('a name for the level').describe('Name of the level in tables.'), value });
}
