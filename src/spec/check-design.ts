import type { Problem } from '../errors.ts';
import type { CheckInput } from './checks.ts';
import type { DesignMethod } from './types.ts';

/** The one setting that a method needs, beside those that all of them take. */
const SETTING_OF: Readonly<Record<DesignMethod, 'points' | 'fraction' | undefined>> = {
  'full-factorial': undefined,
  'fractional-factorial': 'fraction',
  random: 'points',
  'latin-hypercube': 'points',
};
const EXAMPLE = { points: 'points: 24', fraction: 'fraction: 1/2' } as const;

/** A method has the setting it needs and none that it would ignore, and a two-level design has two-level factors. */
export function checkDesign(input: CheckInput): Problem[] {
  if (input.isRefused('design', 'method')) return [];
  return [...checkSettings(input), ...checkTwoLevels(input)];
}

function checkSettings({ spec: { design }, positions, isRefused }: CheckInput): Problem[] {
  const needed = SETTING_OF[design.method];
  return (['points', 'fraction'] as const)
    .filter((setting) => !isRefused('design', setting))
    .flatMap((setting) => {
      if (setting === needed && design[setting] === undefined) {
        return [
          {
            where: positions.ofValue(['design']),
            what: `design method "${design.method}" needs "${setting}"`,
            hint: `Add it, e.g. ${EXAMPLE[setting]}.`,
          },
        ];
      }
      if (setting === needed || design[setting] === undefined) return [];
      return [
        {
          where: positions.ofKey(['design', setting]),
          what: `"design.${setting}" is not used by method "${design.method}"`,
          hint: 'Remove it, or choose a method that uses it.',
        },
      ];
    });
}

/** `design/` refuses this too, for a spec from elsewhere; here it comes with its place and beside all other problems. */
function checkTwoLevels({ spec, positions }: CheckInput): Problem[] {
  if (spec.design.method !== 'fractional-factorial') return [];
  return Object.entries(spec.factors)
    .filter(([, levels]) => levels.length > 2)
    .map(([factor, levels]) => ({
      where: positions.ofValue(['factors', factor]),
      what: `factor "${factor}" has ${levels.length} levels (${levels.map(({ name }) => name).join(', ')}), and a fractional factorial takes two`,
      hint: 'Keep two levels, or take design: { method: latin-hypercube, points: N }.',
    }));
}
