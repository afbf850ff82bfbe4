import { neighboursOf } from '../spec/index.ts';
import type { ExperimentSpec, Level, Neighbour } from '../spec/types.ts';

/** Every level a factor may take in an experiment, varied or fixed; empty where the spec leaves it out and it has no default. */
export function levelsOf(spec: ExperimentSpec, factor: string): readonly Level[] {
  const fixed = spec.fixed[factor];
  return spec.factors[factor] ?? (fixed === undefined ? [] : [fixed]);
}

/** Every neighbour of every level. */
export function neighbourLevels(spec: ExperimentSpec): readonly Neighbour[] {
  return levelsOf(spec, 'colocated').flatMap(neighboursOf);
}
