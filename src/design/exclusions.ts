import type { Exclusion, ExperimentSpec } from '../spec/types.ts';
import { gridSize, type Levels, levelsAt } from './factorial.ts';

/** Whether some rule leaves the combination out. */
export function isExcluded(levels: Levels, rules: readonly Exclusion[]): boolean {
  return rules.some((rule) => isMatched(levels, rule));
}

function isMatched(levels: Levels, { when }: Exclusion): boolean {
  return Object.entries(when).every(([factor, names]) => {
    const level = levels[factor];
    return level !== undefined && names.includes(level.name);
  });
}

/** Combinations of the full grid that a rule matches by itself, whatever other rules match. */
export function countMatches({ factors, fixed }: ExperimentSpec, { when }: Exclusion): number {
  const isFixedApart = Object.entries(when).some(
    ([factor, names]) => fixed[factor] !== undefined && !names.includes(fixed[factor].name),
  );
  if (isFixedApart) return 0;
  return Object.entries(factors).reduce((count, [factor, levels]) => {
    const names = when[factor];
    return count * (names === undefined ? levels.length : levels.filter(({ name }) => names.includes(name)).length);
  }, 1);
}

/** Combinations of the full grid that no rule matches. Enumerates only the factors that rules name. */
export function countSurvivors(spec: ExperimentSpec): number {
  const named = new Set(spec.exclude.flatMap(({ when }) => Object.keys(when)));
  const pick = (isWanted: (factor: string) => boolean): ExperimentSpec => ({
    ...spec,
    factors: Object.fromEntries(Object.entries(spec.factors).filter(([factor]) => isWanted(factor))),
  });
  const judged = pick((factor) => named.has(factor));
  const free = pick((factor) => !named.has(factor));
  let survivors = 0;
  for (let index = 0; index < gridSize(judged); index++) {
    if (!isExcluded(levelsAt(judged, index), spec.exclude)) survivors++;
  }
  return survivors * gridSize(free);
}
