import type { ExperimentSpec, Level } from '../spec/types.ts';

/** A point or configuration in a few words: the levels of what is varied, e.g. "squeezenet1.1 batch=4 light". */
export function labelOf(
  levels: Readonly<Record<string, Level>>,
  spec: Pick<ExperimentSpec, 'factors'>,
  { withLoad }: { readonly withLoad: boolean },
): string {
  const bare = new Set(['model', 'variant', 'load', 'protocol']);
  return Object.keys(spec.factors)
    .filter((factor) => withLoad || factor !== 'load')
    .map((factor) => (bare.has(factor) ? levels[factor]?.name : `${factor}=${levels[factor]?.name}`))
    .join(' ');
}
