import { tCritical } from '../student-t.ts';
import { type Estimate, estimateAt, type FactorFit } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';

/** A number on the scale of the model with its interval. */
export interface Interval {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

/** The response at one level of a factor: over all levels of the others, or at one level of another factor (a simple effect). */
export interface LevelMean {
  readonly factor: string;
  readonly level: string;
  readonly given: { readonly factor: string; readonly level: string } | undefined;
  /** Rows at this level, and at the given one. */
  readonly n: number;
  /** Mean on the scale of the model, evenly over the levels of the factors not named. */
  readonly mean: Interval;
  /** The mean less that over all levels of the factor, at the given level if there is one. */
  readonly effect: Interval;
}

/**
 * Means and effects of every level of every factor, and of every level at each level of each other factor where the model holds their interaction.
 *
 * Intervals are Student's t with the model's residual variance, or with the variances between and within launches where trials share them; each for itself and not adjusted for their number.
 */
export function levelMeans(model: FactorModel, fit: FactorFit, confidence: number): LevelMean[] {
  const critical = rememberCritical(confidence);
  const varied = model.terms.filter(({ kind }) => kind === 'main').map(({ factors }) => factors[0] as number);
  const interacts = (a: number, b: number) =>
    model.terms.some(({ kind, factors }) => kind === 'interaction' && factors.includes(a) && factors.includes(b));
  return varied.flatMap((factor) => {
    const others = varied.filter((other) => interacts(factor, other));
    return [
      ...meansOf(model, fit, critical, factor, undefined),
      ...others.flatMap((other) =>
        levelsAt(model, other).flatMap((level) => meansOf(model, fit, critical, factor, { factor: other, level })),
      ),
    ];
  });
}

function levelsAt({ factors }: FactorModel, factor: number): number[] {
  return (factors[factor]?.levels ?? []).map((_, level) => level);
}

function meansOf(
  model: FactorModel,
  fit: FactorFit,
  critical: CriticalAt,
  factor: number,
  given: { readonly factor: number; readonly level: number } | undefined,
): LevelMean[] {
  const coded = model.factors[factor];
  const other = given === undefined ? undefined : model.factors[given.factor];
  if (coded === undefined) return [];
  const counts = rowsByLevel(model, factor, given);
  return coded.levels.map((name, level) => {
    const at = new Map([[factor, level], ...(given === undefined ? [] : [[given.factor, given.level] as const])]);
    return {
      factor: coded.name,
      level: name,
      given:
        given === undefined || other === undefined
          ? undefined
          : { factor: other.name, level: other.levels[given.level] as string },
      n: counts[level] as number,
      mean: intervalOf(estimateAt(model, fit, at), critical),
      effect: intervalOf(
        estimateAt(model, fit, at, (term) => term.factors.includes(factor)),
        critical,
      ),
    };
  });
}

/** Rows at each level of a factor, at the given level of another if there is one. */
function rowsByLevel(
  { terms, factors, cellRows }: FactorModel,
  factor: number,
  given: { readonly factor: number; readonly level: number } | undefined,
): number[] {
  const names = given === undefined ? [factor] : [factor, given.factor];
  const term = terms.find(
    (one) => one.factors.length === names.length && names.every((name) => one.factors.includes(name)),
  );
  if (term === undefined) throw new RangeError('levels of a factor that has no term were asked for');
  const width = term.shape[1] ?? 1;
  return (factors[factor]?.levels ?? []).map((_, level) => {
    const [a, b = 0] = term.factors.map((one) => (one === factor ? level : (given?.level as number)));
    return cellRows[term.firstCell + (a as number) * width + b] as number;
  });
}

type CriticalAt = (df: number) => number;

/** Mostly all estimates have the same degrees of freedom. */
function rememberCritical(confidence: number): CriticalAt {
  const known = new Map<number, number>();
  return (df) => {
    const critical = known.get(df) ?? tCritical(confidence, df);
    known.set(df, critical);
    return critical;
  };
}

function intervalOf({ value, standardError, df }: Estimate, critical: CriticalAt): Interval {
  if (Number.isNaN(standardError)) return { value, lo: Number.NaN, hi: Number.NaN };
  const halfWidth = critical(df) * standardError;
  return { value, lo: value - halfWidth, hi: value + halfWidth };
}
