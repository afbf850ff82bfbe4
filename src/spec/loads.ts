import { z } from 'zod';
import { patternSchema, type WrittenPattern } from './patterns.ts';
import type { Arrivals, Load } from './types.ts';
import { choice, positiveNumber, text, wholeNumber } from './values.ts';

const ARRIVALS = ['poisson', 'constant'] as const;

const constantLoadShape = {
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
};

const loadShape = {
  ...constantLoadShape,
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

function hasOneKind({ utilization, rate, concurrency }: Partial<LoadKeys>): boolean {
  return [utilization, rate, concurrency].filter((value) => value !== undefined).length === 1;
}

function isArrivalsOfOpenLoop({ concurrency, arrivals }: Partial<LoadKeys>): boolean {
  return concurrency === undefined || arrivals === undefined;
}

function isPatternOfOpenLoop({ concurrency, pattern }: LoadKeys): boolean {
  return concurrency === undefined || pattern === undefined;
}

const CLOSED_LOOP_ARRIVALS = 'utilization or rate beside arrivals, or leave arrivals out: a closed loop has none';
const CLOSED_LOOP_PATTERN =
  'utilization or rate beside pattern, or leave pattern out: a closed loop has no rate to move';

function toLoad({ utilization, rate, concurrency, arrivals = 'poisson', pattern }: Partial<LoadKeys>): WrittenLoad {
  const moves = pattern === undefined ? {} : { pattern };
  if (utilization !== undefined) return { kind: 'utilization', utilization, arrivals, ...moves };
  if (rate !== undefined) return { kind: 'rate', rateRps: rate, arrivals, ...moves };
  return { kind: 'concurrency', concurrency: concurrency as number };
}

/** A load that keeps its rate. */
export const constantLoadSchema = z
  .strictObject(constantLoadShape, { error: ONE_KIND })
  .refine(hasOneKind, { error: ONE_KIND })
  .refine(isArrivalsOfOpenLoop, { error: CLOSED_LOOP_ARRIVALS })
  .transform((load) => toLoad(load) as Load);

/** A definition under `loads`. */
export const loadSchema = z
  .strictObject(loadShape, { error: ONE_KIND })
  .refine(hasOneKind, { error: ONE_KIND })
  .refine(isArrivalsOfOpenLoop, { error: CLOSED_LOOP_ARRIVALS })
  .refine(isPatternOfOpenLoop, { error: CLOSED_LOOP_PATTERN })
  .transform(toLoad);

/** A level of the load factor that brings its own definition: `{ name: burst, rate: 200 }`. */
export const namedLoadSchema = z
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
