import { z } from 'zod';
import { unreachable } from '../unreachable.ts';
import type { RatePattern } from './types.ts';
import { choice, percentAboveZero, positiveDurationS, text } from './values.ts';

/** A pattern as the file says it: a trace is still the name of a file. */
export type WrittenPattern =
  | Exclude<RatePattern, { kind: 'trace' }>
  | { readonly kind: 'trace'; readonly file: string };

const shape = {
  ramp: choice(['linear', 'exponential'])
    .describe('A ramp from one level to another, in a straight line or at a constant relative growth.')
    .optional(),
  from: percentAboveZero('20%').describe("Level a ramp starts at, in percent of the load's rate.").optional(),
  to: percentAboveZero('180%').describe("Level a ramp ends at and stays at, in percent of the load's rate.").optional(),
  over: positiveDurationS('20s').describe('How long a ramp takes.').optional(),
  step: percentAboveZero('300%')
    .describe("A step to this level, in percent of the load's rate; with `for` a spike that ends again.")
    .optional(),
  at: positiveDurationS('5s').describe('When a step or spike begins, from the first window on.').optional(),
  for: positiveDurationS('2s').describe('How long a spike lasts.').optional(),
  sine: percentAboveZero('50%', 100)
    .describe("A wave around the load's rate that rises and falls by this percentage of it.")
    .optional(),
  period: positiveDurationS('10s').describe('How long one wave takes.').optional(),
  trace: text('the path of a text file with one rate per line, e.g. traces/day.txt')
    .describe(
      "File, from the spec's folder, with one rate per line for each second. Rates may be in any unit: they are scaled so that their mean is the load's rate.",
    )
    .optional(),
};

type PatternKeys = z.output<z.ZodObject<typeof shape>>;
type Shape = 'ramp' | 'step' | 'sine' | 'trace';

/** What each shape takes beside its own key, in names and in words, and what it looks like. */
const SHAPES: Readonly<
  Record<
    Shape,
    {
      readonly needs: readonly (keyof PatternKeys)[];
      readonly may: readonly (keyof PatternKeys)[];
      readonly words: string;
      readonly example: string;
    }
  >
> = {
  ramp: {
    needs: ['from', 'to', 'over'],
    may: [],
    words: '"from", "to" and "over" beside "ramp", and nothing else',
    example: '{ ramp: linear, from: 20%, to: 180%, over: 20s }',
  },
  step: {
    needs: ['at'],
    may: ['for'],
    words: '"at" beside "step", "for" where it ends again, and nothing else',
    example: '{ step: 300%, at: 5s, for: 2s }',
  },
  sine: {
    needs: ['period'],
    may: [],
    words: '"period" beside "sine", and nothing else',
    example: '{ sine: 50%, period: 10s }',
  },
  trace: { needs: [], may: [], words: '"trace" alone', example: '{ trace: traces/day.txt }' },
};
const SHAPE_NAMES = Object.keys(SHAPES) as readonly Shape[];
const ONE_SHAPE = `exactly one of ${SHAPE_NAMES.join(', ')}, e.g. ${SHAPES.ramp.example}`;

/** What the keys together should be; undefined where they are one whole pattern. */
function expectedInstead(keys: PatternKeys): string | undefined {
  const shapes = SHAPE_NAMES.filter((name) => keys[name] !== undefined);
  const [name] = shapes;
  if (name === undefined || shapes.length > 1) return ONE_SHAPE;
  const { needs, may, words, example } = SHAPES[name];
  const isWhole = needs.every((key) => keys[key] !== undefined);
  const hasForeign = Object.entries(keys).some(
    ([key, value]) => value !== undefined && ![name, ...needs, ...may].includes(key as keyof PatternKeys),
  );
  return isWhole && !hasForeign ? undefined : `${words}, e.g. ${example}`;
}

function toPattern(keys: PatternKeys): WrittenPattern {
  const { ramp, from = 1, to = 1, over = 0, step, at = 0, sine, period = 0, trace } = keys;
  if (ramp !== undefined) return { kind: `${ramp}-ramp`, from, to, overS: over };
  if (step !== undefined) {
    return { kind: 'step', base: 1, level: step, atS: at, ...(keys.for === undefined ? {} : { forS: keys.for }) };
  }
  if (sine !== undefined) return { kind: 'sine', amplitude: sine, periodS: period };
  return { kind: 'trace', file: trace ?? '' };
}

/** How the rate of an open loop moves: one of four shapes, whose keys stand side by side. */
export const patternSchema = z
  .strictObject(shape, { error: ONE_SHAPE })
  .superRefine((keys, context) => {
    const message = expectedInstead(keys);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .transform(toPattern);

/** How long a pattern takes from its start until all of it has been seen, seconds: a step counts with the first second after it. */
export function lengthOfPatternS(pattern: RatePattern): number {
  switch (pattern.kind) {
    case 'linear-ramp':
    case 'exponential-ramp':
      return pattern.overS;
    case 'step':
      return pattern.atS + (pattern.forS ?? 1);
    case 'sine':
      return pattern.periodS;
    case 'trace':
      return pattern.rates.length;
    default:
      return unreachable(pattern);
  }
}
