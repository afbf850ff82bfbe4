import type { Problem } from '../errors.ts';
import type { ResolvedModel } from '../models/types.ts';

/** What a reader must know of the models before trusting their answers or speed: once for each model with synthetic weights, and once for each caveat of a variant. */
export function modelNotices(models: Iterable<ResolvedModel>): Problem[] {
  const synthetic = new Set<string>();
  const ofCaveat = new Map<string, string[]>();
  for (const { name, variant, isSynthetic, caveats } of models) {
    if (isSynthetic) synthetic.add(name);
    for (const caveat of caveats) {
      const known = ofCaveat.get(caveat) ?? [];
      if (!known.includes(variant)) ofCaveat.set(caveat, [...known, variant]);
    }
  }
  return [
    ...[...synthetic].map((name) => ({
      what: `${name} has synthetic weights`,
      hint: 'They are true in cost, not in answers: its latency, throughput and energy are real, its accuracy means nothing.',
    })),
    ...[...ofCaveat].map(([caveat, variants]) => ({
      what: `${variants.length === 1 ? 'variant' : 'variants'} ${variants.join(', ')}: ${caveat}`,
      hint: 'This comes with the variant; `dse models inspect MODEL --variant NAME` tells how it was made.',
    })),
  ];
}
