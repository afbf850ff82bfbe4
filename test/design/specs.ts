import fc from 'fast-check';
import { type DesignSpec, type Exclusion, type ExperimentSpec, parseSpec } from '../../src/spec/index.ts';
import { TWO_CPUS } from '../spec/hosts.ts';

const base = parseSpec('name: a\nfixed: { model: mnist-cnn }', 'a.yaml', TWO_CPUS).spec;

/** A spec with factors of any name: `{ a: 2, b: 3 }` gives a the levels a1 and a2. */
export function specOf(
  levelCounts: Readonly<Record<string, number>>,
  design: Partial<DesignSpec> = {},
  exclude: readonly Exclusion[] = [],
): ExperimentSpec {
  const factors = Object.entries(levelCounts).map(([factor, count]) => [
    factor,
    Array.from({ length: count }, (_, at) => ({ name: `${factor}${at + 1}`, value: at + 1 })),
  ]);
  const fixed = Object.fromEntries(Object.entries(base.fixed).filter(([factor]) => !(factor in levelCounts)));
  return { ...base, fixed, design: { ...base.design, ...design }, factors: Object.fromEntries(factors), exclude };
}

export function specFromYaml(text: string): ExperimentSpec {
  return parseSpec(text, 'a.yaml', { ...TWO_CPUS, onlineCpus: [0, 1, 2, 3, 4, 5, 6, 7] }).spec;
}

/** Up to five factors (one of them may be `load`) of two to four levels. */
export const anyLevelCounts = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'load'), fc.integer({ min: 2, max: 4 }), { minKeys: 1, maxKeys: 5 })
  .map((counts): Readonly<Record<string, number>> => counts);

export const anySeed = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** One rule over the first levels of the first two factors. */
export function ruleOver(levelCounts: Readonly<Record<string, number>>): Exclusion[] {
  const factors = Object.keys(levelCounts).slice(0, 2);
  if (factors.length < 2) return [];
  return [{ when: Object.fromEntries(factors.map((factor) => [factor, [`${factor}1`]])), why: 'test' }];
}

export function productOf(levelCounts: Readonly<Record<string, number>>): number {
  return Object.values(levelCounts).reduce((product, count) => product * count, 1);
}

/** How often each level of a factor occurs. */
export function countLevels(points: readonly { levels: Readonly<Record<string, { name: string }>> }[], factor: string) {
  const counts = new Map<string, number>();
  for (const { levels } of points) {
    const name = levels[factor]?.name ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
