import { z } from 'zod';
import { constraintsSchema } from './constraints.ts';
import { FACTOR_NAMES, FACTORS, type FactorName, levelSchema } from './factors.ts';
import { loadSchema } from './loads.ts';
import { POPULARITY, plainPopularity, zipfPopularity } from './popularity.ts';
import { PRECISE_RESPONSES } from './responses.ts';
import type { Objective } from './types.ts';
import {
  choice,
  cpuList,
  durationMs,
  durationS,
  httpUrl,
  percent,
  positiveDurationS,
  positiveNumber,
  text,
  wholeNumber,
} from './values.ts';

/**
 * The experiment file. The one place for its keys, their meaning and their defaults; the JSON Schema for editors is generated from it.
 *
 * Parses what a user wrote into the units of `ExperimentSpec`. What takes more than one key to judge is checked in `check-*.ts`.
 */

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const SEED = `a whole number from ${INT32_MIN} to ${INT32_MAX}, e.g. 42`;
const NAME = 'a name of letters, digits, dots, dashes and underscores, e.g. my-experiment';
const FRACTION = 'a fraction 1/2, 1/4, 1/8, ... of the full design';

function parseFraction(written: string | number): number {
  if (typeof written === 'number') return written;
  const [, divisor] = /^1\s?\/\s?(\d+)$/.exec(written) ?? [];
  return divisor === undefined ? Number.NaN : 1 / Number(divisor);
}

function isPowerOfOneHalf(fraction: number): boolean {
  const exponent = -Math.log2(fraction);
  return Number.isInteger(exponent) && exponent >= 1;
}

const designSchema = z.strictObject(
  {
    method: choice(['full-factorial', 'fractional-factorial', 'random', 'latin-hypercube'])
      .describe('Which combinations of levels are run: all, a two-level fraction, or a subset of `points`.')
      .prefault('full-factorial'),
    points: wholeNumber(1, 24).describe('Number of design points, for random and latin-hypercube.').optional(),
    fraction: z
      .union([z.string(), z.number()], { error: FRACTION })
      .transform(parseFraction)
      .refine(isPowerOfOneHalf, { error: FRACTION })
      .describe('Share of the full two-level design, for fractional-factorial: 1/2, 1/4, ...')
      .optional(),
    replicates: wholeNumber(1, 3)
      .describe('How often every point is run, each time launched anew and in a block of its own.')
      .prefault(1),
    seed: z
      .int({ error: SEED })
      .min(INT32_MIN, { error: SEED })
      .max(INT32_MAX, { error: SEED })
      .describe('Seed of everything random: run order, subsets, arrivals, sample inputs.')
      .prefault(1),
  },
  { error: 'settings of the design, e.g. { method: full-factorial, replicates: 3, seed: 42 }' },
);

const serverSchema = z.strictObject(
  {
    engine: choice(['native', 'docker', 'podman'])
      .describe('How servers are started: as local processes, or as containers.')
      .prefault('native'),
    cpuset: cpuList()
      .describe('CPUs the server may run on, e.g. "0-3,6". Where left out: chosen by dse, apart from the generator.')
      .optional(),
    gateway_cpuset: cpuList()
      .describe('CPUs the gateway may run on, where factor `gateway` is on. Where left out: those of the server.')
      .optional(),
    description: text('a file, e.g. servers/triton.yaml')
      .describe(
        "File that describes a server other than dse's own, from this file's folder, e.g. servers/triton.yaml. Needs an engine that runs containers, or `url`.",
      )
      .optional(),
    url: httpUrl()
      .describe(
        'Address of a server that already runs. It is neither started nor limited, and its CPU time and memory are not known. It speaks KServe V2 unless `description` says otherwise.',
      )
      .optional(),
    image: text('an image, e.g. my-server:1')
      .describe(
        "For engines that run containers: image that servers start from, with dse's server as its entry point, or in place of that of `description`. Where left out: dse's own, built where it is missing.",
      )
      .optional(),
    base_image: text('an image, e.g. node:22-bookworm-slim')
      .describe(
        "For engines that run containers: image with Node 20.19 or newer that dse's own server image is built on.",
      )
      .optional(),
    context: text('a name, e.g. lab')
      .describe(
        "For engines that run containers: the engine's host by the name that its command line knows it by (a Docker context, a Podman connection), instead of its default. It must be this machine.",
      )
      .optional(),
    network: choice(['host', 'published'])
      .describe(
        "For engines that run containers: over the host's own network, as a native server, or through a published port, which adds address translation to every latency.",
      )
      .optional(),
    engine_args: z
      .array(text('an argument, e.g. --ulimit=nofile=20000:20000'), {
        error: 'a list of arguments, e.g. ["--ulimit=nofile=20000:20000"]',
      })
      .describe('For engines that run containers: more arguments for the `create` of every container.')
      .optional(),
    ready_timeout: durationMs('60s')
      .describe('Longest wait until a started server is healthy and has answered one real inference.')
      .prefault('60s'),
  },
  { error: 'settings of the server, e.g. { engine: native, cpuset: "0" }' },
);

const generatorSchema = z.strictObject(
  {
    cpuset: cpuList().describe('CPUs the load generator may run on, apart from the server.').optional(),
    connections: wholeNumber(1, 64).describe('Requests an open-loop load may have in flight at once.').prefault(64),
    popularity: z
      .union([plainPopularity, zipfPopularity], { error: POPULARITY })
      .describe(
        'How often each of the distinct requests is sent: in-turn, one after the other; uniform, each draw equally likely; { zipf: s }, the k-th most popular with a probability in proportion to 1/k^s. Draws are seeded.',
      )
      .optional(),
    spin: choice(['near', 'always'])
      .describe(
        'When the generator of an open loop keeps its CPU busy instead of sleeping: near, for the last two milliseconds before a send; always, while the load is on. Always sends on time also on virtual machines, which wake idle CPUs late, and the energy of a whole busy CPU is then in what is measured.',
      )
      .prefault('near'),
    inputs: wholeNumber(1, 100)
      .describe(
        'Distinct requests sent. Where left out: every labelled sample, or 16 random ones, as far as 64 MB hold them.',
      )
      .optional(),
  },
  { error: 'settings of the load generator, e.g. { cpuset: "1" }' },
);

const measureSchema = z.strictObject(
  {
    warmup: z
      .union([z.literal('auto'), durationS('2s')], { error: 'auto, or a duration with its unit, e.g. 2s' })
      .describe('Warm-up before each trial: auto goes on until latency is steady, a duration takes that long.')
      .prefault('auto'),
    max_warmup: positiveDurationS('30s')
      .describe(
        'Longest warm-up under auto. A trial that is not steady by then is measured all the same, with the verdict `unsteady`.',
      )
      .prefault('30s'),
    window: positiveDurationS('5s').describe('Length of one measurement window.').prefault('5s'),
    windows: wholeNumber(1, 3).describe('Windows measured at least, in a row.').prefault(3),
    precision: z
      .record(z.string(), percent('10%'), { error: 'responses and limits, e.g. { latency_p50_ms: 10% }' })
      .describe(
        `Response -> largest half-width of its confidence interval, in percent of the figure. Windows are added until all hold, or \`max\` is reached; a load with a pattern is measured for \`windows\` only. Possible for ${PRECISE_RESPONSES.join(', ')}.`,
      )
      .prefault({}),
    confidence: percent('95%')
      .describe('Confidence of the intervals: the share of them that should hold the true value.')
      .prefault('95%'),
    max: positiveDurationS('60s').describe('Longest measurement of a trial, all windows together.').prefault('60s'),
    timeout: durationMs('10s')
      .refine((ms) => ms > 0, { error: 'a duration above zero, e.g. 10s' })
      .describe('When a request is given up; it then counts with this latency as a timeout.')
      .prefault('10s'),
    slo: z
      .strictObject(
        { latency_ms: positiveNumber(100).describe('A reply within this latency counts as goodput, milliseconds.') },
        { error: 'a limit, e.g. { latency_ms: 100 }' },
      )
      .describe(
        'Service-level objective. Where given, the highest rate that meets it is searched for each server configuration (capacity_slo_rps).',
      )
      .optional(),
    calibration: positiveDurationS('2s')
      .describe(
        'About how long the closed-loop calibration of a server configuration takes, which finds its capacity; the search under an `slo` takes about as long again.',
      )
      .prefault('2s'),
    retries: wholeNumber(0, 1)
      .describe(
        'How often an invalid trial is tried again. Every attempt is kept in the journal; trials.csv shows the last.',
      )
      .prefault(0),
    idle_gate: durationS('10s')
      .describe(
        'Longest wait for a quiet machine before a trial: until CPU use by other processes, steal, temperature and power are back near their idle values. The trial then starts all the same, and its verdict says if the machine stayed busy. 0s does not wait.',
      )
      .prefault('10s'),
  },
  { error: 'settings of the measurement, e.g. { window: 5s, windows: 3 }' },
);

export const energySchema = z.strictObject(
  {
    source: choice(['auto', 'rapl', 'hwmon', 'nvidia-smi', 'command', 'estimate', 'none'])
      .describe(
        'Where energy comes from; auto takes the best sensor that can be read, and an estimate where there is none.',
      )
      .prefault('auto'),
    powercap_root: text('a folder, e.g. /sys/class/powercap')
      .describe('Folder of the powercap tree (RAPL).')
      .prefault('/sys/class/powercap'),
    hwmon_root: text('a folder, e.g. /sys/class/hwmon')
      .describe('Folder of the hwmon tree.')
      .prefault('/sys/class/hwmon'),
    command: text('a command that prints watts')
      .describe('For source command: prints the present power draw in watts on standard output.')
      .optional(),
    idle: positiveDurationS('5s').describe('How long idle power is measured before each block.').prefault('5s'),
    estimate: z
      .strictObject(
        {
          idle_w: positiveNumber(10).describe('The whole machine with nothing to do, watts.').prefault(10),
          core_power_w: positiveNumber(6).describe('One fully busy CPU above idle, watts.').prefault(6),
        },
        { error: 'parameters, e.g. { idle_w: 10, core_power_w: 6 }' },
      )
      .describe(
        'Parameters of the estimate. The defaults are round figures of a small machine, not a measurement: set your own.',
      )
      .prefault({}),
  },
  { error: 'settings of the energy meter, e.g. { source: auto }' },
);

const accuracySchema = z.strictObject(
  {
    data: text('a file, e.g. test.npy').describe(
      'File of the samples: IDX, NPY, or CSV with a column label; or a folder of JPEG and PNG images with a subfolder for each class. Relative to this file.',
    ),
    labels: text('a file, e.g. labels.npy').describe('File of the labels of IDX or NPY samples.').optional(),
    scale: z
      .number({ error: 'a number, e.g. 0.00392' })
      .describe('The tensor fed is value * scale + offset.')
      .optional(),
    offset: z.number({ error: 'a number, e.g. -0.5' }).describe('See scale.').optional(),
  },
  { error: 'labelled samples, e.g. { data: test.npy, labels: labels.npy }' },
);

const objectiveSchema = z
  .strictObject(
    {
      minimize: text('a response').describe('Response of which less is better.').optional(),
      maximize: text('a response').describe('Response of which more is better.').optional(),
    },
    { error: 'a direction and a response, e.g. { minimize: latency_p99_ms }' },
  )
  .refine(({ minimize, maximize }) => (minimize === undefined) !== (maximize === undefined), {
    error: 'one direction and a response, e.g. { minimize: latency_p99_ms }',
  })
  .transform(
    ({ minimize, maximize }): Objective =>
      minimize === undefined
        ? { response: maximize as string, direction: 'maximize' }
        : { response: minimize, direction: 'minimize' },
  );

const scalarSchema = z.union([z.string(), z.number(), z.boolean()], {
  error: 'a level as it is written under factors',
});

const exclusionSchema = z.strictObject(
  {
    when: z
      .record(
        z.string(),
        z
          .union([scalarSchema, z.array(scalarSchema).min(1, { error: 'one or more levels' })], {
            error: 'a level, or a list of levels, as written under factors',
          })
          .transform((levels) => (Array.isArray(levels) ? levels : [levels]).map(String)),
        { error: 'factors and levels, e.g. { cpus: 0.5, threads: [2, 4] }' },
      )
      .describe('Factor -> level or levels. A combination is left out where all of them match.'),
    why: text('the reason, e.g. "more threads than quota"').describe('Reason, shown by `dse plan`.'),
  },
  { error: 'a rule, e.g. { when: { cpus: 0.5, threads: 2 }, why: "more threads than quota" }' },
);

function shapeOfFactors<T extends z.ZodType>(schemaOf: (name: FactorName) => T): Record<FactorName, T> {
  return Object.fromEntries(FACTOR_NAMES.map((name) => [name, schemaOf(name)])) as Record<FactorName, T>;
}

const factorsSchema = z.strictObject(
  shapeOfFactors(
    (name): z.ZodOptional<z.ZodArray<z.ZodType>> =>
      z
        .array(levelSchema(name), { error: `a list of levels, e.g. [${FACTORS[name].examples.join(', ')}]` })
        .describe(FACTORS[name].description)
        .optional(),
  ),
  { error: 'factors with their levels, e.g. { batch: [1, 8] }' },
);

const fixedSchema = z.strictObject(
  shapeOfFactors((name): z.ZodOptional<z.ZodType> => levelSchema(name).optional()),
  { error: 'factors with one level each, e.g. { batch: 1 }' },
);

export const DEFAULT_OBJECTIVES = [
  { minimize: 'latency_p99_ms' },
  { minimize: 'energy_per_inference_j' },
  { maximize: 'throughput_ips' },
];

export const specSchema = z
  .strictObject(
    {
      name: z
        .string({ error: NAME })
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: NAME })
        .describe('Name of the experiment; its results go to results/<name>.'),
      design: designSchema.describe('Which points are run, how often, and in which random order.').prefault({}),
      server: serverSchema.describe('The system under test.').prefault({}),
      generator: generatorSchema.describe('The load generator.').prefault({}),
      factors: factorsSchema.describe('Factors that are varied, each with two or more levels.').prefault({}),
      fixed: fixedSchema.describe('Factors that are held at one level.').prefault({}),
      loads: z
        .record(z.string(), loadSchema, { error: 'names and definitions, e.g. { light: { utilization: 0.3 } }' })
        .describe(
          'Definitions of load levels. Light, medium and high are utilization 0.3, 0.6 and 0.9 where not defined.',
        )
        .prefault({}),
      exclude: z
        .array(exclusionSchema, { error: 'a list of rules, e.g. [{ when: { cpus: 0.5 }, why: "too slow" }]' })
        .describe('Combinations that are not run.')
        .prefault([]),
      measure: measureSchema.describe('How a trial is measured.').prefault({}),
      accuracy: accuracySchema
        .describe(
          'Labelled samples for models that bring none of their own: each file is evaluated on them once, and its requests carry random inputs.',
        )
        .optional(),
      energy: energySchema.describe('How energy is measured.').prefault({}),
      objectives: z
        .array(objectiveSchema, { error: 'a list of objectives, e.g. [{ minimize: latency_p99_ms }]' })
        .min(1, { error: 'one or more objectives, e.g. [{ minimize: latency_p99_ms }]' })
        .describe(
          'What makes a configuration good. Where left out: latency_p99_ms and energy_per_inference_j minimized, throughput_ips maximized.',
        )
        .prefault(DEFAULT_OBJECTIVES),
      constraints: constraintsSchema
        .describe(
          'What a configuration must meet to be on a front: response -> limits of its mean over replicates. What is not known to be met is not met.',
        )
        .optional(),
      contexts: z
        .array(z.string({ error: 'the name of a varied factor' }), { error: 'a list of factors, e.g. [model]' })
        .describe('Varied factors that make up the environment across which results are compared.')
        .prefault([]),
    },
    { error: 'an experiment, e.g. "name: my-experiment" followed by "factors:"' },
  )
  .describe('An experiment of dse.');

/** What the schema yields before the parts are joined into an `ExperimentSpec`. */
export type WrittenSpec = z.output<typeof specSchema>;

/** JSON Schema (2020-12) of the experiment file, for editors. */
export function specJsonSchema(): Record<string, unknown> {
  return { title: 'dse experiment', ...z.toJSONSchema(specSchema, { io: 'input' }) };
}
