import type { Problem } from '../errors.ts';
import { BASE_VARIANT, findResponse } from '../spec/index.ts';
import { matchAcross } from './correlations.ts';
import type { MeanSampler } from './mean-sampler.ts';
import type { AnalysisOptions, Configurations, Constraint } from './types.ts';

/** Gives every configuration its loss under each constraint on one. */
export interface LossFinder {
  /** The means with a column for each loss, named as its constraint names it; NaN where it is not known. */
  readonly withLosses: (means: ReadonlyMap<string, Float64Array>) => ReadonlyMap<string, Float64Array>;
  /** Per configuration, the one that is its base: the same in every factor but `variant`, which is "fp32" there; -1 where there is none. */
  readonly bases: Int32Array;
}

type LossConstraint = Constraint & { readonly lossOf: string };

/**
 * How much worse each configuration is than its base, as a share of the base's value: (base - value) / base where more is better, (value - base) / base where less is.
 *
 * A loss below 0 is a gain. It is not known where either was not measured, and where the base's value is not above 0. Which way is better is what the response's own
 * definition says, or the objectives.
 */
export function createLossFinder(
  configurations: Configurations,
  { constraints = [], objectives }: Pick<AnalysisOptions, 'constraints' | 'objectives'>,
): LossFinder {
  const losses = lossConstraints(constraints);
  const bases = losses.length === 0 ? new Int32Array() : findBases(configurations);
  return {
    bases,
    withLosses: (means) => {
      const all = new Map(means);
      for (const { response, lossOf } of losses) {
        const values = means.get(lossOf) as Float64Array;
        const sign = betterWay(lossOf, objectives) === 'lower' ? 1 : -1;
        all.set(
          response,
          values.map((value, configuration) => {
            const base = values[bases[configuration] as number] ?? Number.NaN;
            // In twelve digits, so that 0.99 of 1 is a loss of 1 % and not of a rounding error more.
            return base > 0 ? Number(((sign * (value - base)) / base).toPrecision(12)) : Number.NaN;
          }),
        );
      }
      return all;
    },
  };
}

/** A sampler whose draws hold the losses too: of the drawn value against the drawn base. */
export function withDrawnLosses(sampler: MeanSampler, { withLosses }: LossFinder): MeanSampler {
  return { sources: sampler.sources, draw: (rng) => withLosses(sampler.draw(rng)) };
}

/** What stands against a constraint on a loss, whatever the rows hold. */
export function checkLosses({ constraints = [], factors, objectives }: AnalysisOptions): Problem[] {
  return lossConstraints(constraints).flatMap(({ response, lossOf }) => [
    ...(factors.includes('variant')
      ? []
      : [
          {
            where: response,
            what: `"variant" is not one of the factors (${factors.join(', ')}), so there is no base to lose against`,
            hint: `A loss is counted against the same configuration at variant=${BASE_VARIANT}; vary "variant", or give an absolute limit, e.g. '${lossOf}>=0.97'.`,
          },
        ]),
    ...(betterWay(lossOf, objectives) === undefined
      ? [
          {
            where: response,
            what: `whether more or less of "${lossOf}" is better is not known, so neither is what a loss of it is`,
            hint: 'Name it among the objectives (--minimize or --maximize), or give an absolute limit.',
          },
        ]
      : []),
  ]);
}

function lossConstraints(constraints: readonly Constraint[]): LossConstraint[] {
  return constraints.filter((constraint): constraint is LossConstraint => constraint.lossOf !== undefined);
}

function betterWay(name: string, objectives: AnalysisOptions['objectives']): 'lower' | 'higher' | undefined {
  const direction = objectives.find(({ response }) => response === name)?.direction;
  if (direction !== undefined) return direction === 'minimize' ? 'lower' : 'higher';
  return findResponse(name)?.better;
}

function findBases(configurations: Configurations): Int32Array {
  const { partners, levels } = matchAcross(configurations, 'variant');
  const base = levels.indexOf(BASE_VARIANT);
  const bases = new Int32Array(configurations.count).fill(-1);
  if (base < 0) return bases;
  for (const [at, configuration] of partners.entries()) {
    if (configuration >= 0) bases[configuration] = partners[at - (at % levels.length) + base] as number;
  }
  return bases;
}
