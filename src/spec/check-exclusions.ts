import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import { FACTOR_NAMES } from './factors.ts';
import type { Exclusion, Level } from './types.ts';
import { quote, suggestName } from './wording.ts';

/** Every rule matches something, and all rules together leave something to run. */
export function checkExclusions(input: CheckInput): Problem[] {
  const problems = input.spec.exclude.flatMap((rule, at) => checkRule(input, rule, at));
  return problems.length > 0 || input.isRefused('exclude') ? problems : checkSomethingIsLeft(input);
}

function checkRule(input: CheckInput, { when }: Exclusion, at: number): Problem[] {
  const { spec, positions, isRefused } = input;
  const path = ['exclude', at, 'when'];
  if (isRefused('exclude', at)) return [];
  if (Object.keys(when).length === 0) {
    return [
      {
        where: positions.ofValue(path),
        what: 'this rule names no factor, so it would exclude everything',
        hint: 'Name factors and levels, e.g. { cpus: 0.5, threads: 2 }.',
      },
    ];
  }
  return Object.entries(when).flatMap(([factor, names]) => {
    if (isRefused('factors', factor) || isRefused('fixed', factor)) return [];
    const levels = levelsOf(spec, factor).map(({ level }) => level.name);
    if (levels.length === 0) {
      const known = [...Object.keys(spec.factors), ...Object.keys(spec.fixed)];
      return [
        {
          where: positions.ofKey([...path, factor]),
          what: (FACTOR_NAMES as readonly string[]).includes(factor)
            ? `this rule matches nothing: factor "${factor}" is neither varied nor fixed`
            : `this rule names an unknown factor "${factor}"`,
          hint: suggestName(factor, known, 'factors'),
        },
      ];
    }
    return names
      .filter((name) => !levels.includes(name))
      .map((name) => ({
        where: positions.ofValue([...path, factor]),
        what: `this rule matches nothing: factor "${factor}" has no level ${quote(name)}`,
        hint: `Its levels are: ${levels.join(', ')}.`,
      }));
  });
}

function checkSomethingIsLeft({ spec, positions, isRefused }: CheckInput): Problem[] {
  const rules = spec.exclude;
  const factors = [...new Set(rules.flatMap(({ when }) => Object.keys(when)))];
  if (rules.length === 0 || factors.some((factor) => isRefused('factors', factor) || isRefused('fixed', factor)))
    return [];
  const levels = factors.map((factor) => levelsOf(spec, factor).map(({ level }) => level));
  if (levels.some(({ length }) => length === 0) || hasSurvivor(factors, levels, rules)) return [];
  return [
    {
      where: positions.ofValue(['exclude']),
      what: 'the rules exclude every combination of levels',
      hint: 'Remove a rule, or narrow one; `dse plan` shows how many points each rule takes.',
    },
  ];
}

/** Whether some combination is matched by no rule: depth first over the factors that rules name, cut where a rule already matches. */
function hasSurvivor(
  factors: readonly string[],
  levels: readonly (readonly Level[])[],
  rules: readonly Exclusion[],
  chosen: Readonly<Record<string, string>> = {},
): boolean {
  const isMatched = rules.some(({ when }) =>
    Object.entries(when).every(([factor, names]) => chosen[factor] !== undefined && names.includes(chosen[factor])),
  );
  if (isMatched) return false;
  const at = Object.keys(chosen).length;
  const factor = factors[at];
  if (factor === undefined) return true;
  return (levels[at] ?? []).some(({ name }) => hasSurvivor(factors, levels, rules, { ...chosen, [factor]: name }));
}
