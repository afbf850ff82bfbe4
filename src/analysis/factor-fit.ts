import { visitColumns } from './effect-terms.ts';
import type { FactorModel, ModelTerm } from './factor-model.ts';
import { describe } from './moments.ts';
import { cholesky, solveCholesky } from './symmetric.ts';
import { spreadToCells, sumByCell, sumByColumn } from './term-cells.ts';

/** A model fitted to one response by least squares. */
export interface FactorFit {
  /** By column of the model. */
  readonly coefficients: Float64Array;
  readonly residuals: Float64Array;
  readonly residualSumSq: number;
  readonly residualDf: number;
  /** By term of the model: what leaving out this term alone would add to the residual sum of squares (type III). */
  readonly sumsSq: readonly number[];
  /** Present where rows share launches: the error between them and within them. */
  readonly strata?: ErrorStrata;
}

/** A residual sum of squares; without degrees of freedom it says nothing. */
export interface ErrorTerm {
  readonly sumSq: number;
  readonly df: number;
}

/** The two errors of a design in which trials share launches. */
export interface ErrorStrata {
  readonly between: ErrorTerm;
  readonly within: ErrorTerm;
  /** By term of the model: whether it is tested against the error within launches. */
  readonly isWithin: readonly boolean[];
  /** The variance of a combination c of coefficients is c' inverse c times the mean square within launches; c' betweenShare c is how often that between them is in it. */
  readonly inverse: Float64Array;
  readonly betweenShare: Float64Array;
  /** Values, each less what its launch has of the variance between launches: the inverse covariance times them. */
  readonly weigh: (values: Float64Array) => Float64Array;
}

/** A linear combination of coefficients, with its standard error and the degrees of freedom of that; NaN without any for error. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
  readonly df: number;
}

/**
 * Fits by the normal equations, corrected once by the residuals of the first solution.
 *
 * @param values - one per row of the model, finite
 * Source: Searle (1987), "Linear Models for Unbalanced Data", sec. 9.4 (sums of squares of hypotheses on sets of parameters).
 */
export function fitFactorModel(model: FactorModel, values: Float64Array): FactorFit {
  const { mean } = describe(values);
  const residuals = values.map((value) => value - mean);
  const coefficients = new Float64Array(model.size);
  for (let pass = 0; pass < 2; pass++) {
    const change = solveNormal(model, projectOnColumns(model, residuals));
    for (let column = 0; column < model.size; column++) {
      coefficients[column] = (coefficients[column] as number) + (change[column] as number);
    }
    subtractFitted(model, change, residuals);
  }
  let residualSumSq = 0;
  for (const residual of residuals) residualSumSq += residual * residual;
  const sumsSq = model.terms.map((term) => termSumSq(model, term, coefficients));
  coefficients[0] = (coefficients[0] as number) + mean;
  return { coefficients, residuals, residualSumSq, residualDf: model.rowCount - model.size, sumsSq };
}

/** Sums of a response over the rows of each column, with their signs (X'y). */
export function projectOnColumns({ terms, cells, cellTotal, size }: FactorModel, values: Float64Array): Float64Array {
  return sumByColumn(terms, size, sumByCell(cells, terms.length, cellTotal, values));
}

/** The coefficients whose cross products these are. */
export function solveNormal(
  { inverse, inverseSpans, size }: Pick<FactorModel, 'inverse' | 'inverseSpans' | 'size'>,
  projected: Float64Array,
): Float64Array {
  const solution = new Float64Array(size);
  // The inverse is symmetric; going down its columns adds in the same order as along its rows, and no sum waits for the one before.
  for (let column = 0; column < size; column++) {
    const share = projected[column] as number;
    const start = column * size;
    const end = inverseSpans[2 * column + 1] as number;
    for (let row = inverseSpans[2 * column] as number; row < end; row++) {
      solution[row] = (solution[row] as number) + (inverse[start + row] as number) * share;
    }
  }
  return solution;
}

export function subtractFitted(
  { terms, cells, cellTotal }: FactorModel,
  coefficients: Float64Array,
  residuals: Float64Array,
): void {
  const parts = spreadToCells(terms, cellTotal, coefficients);
  for (let row = 0, at = 0; row < residuals.length; row++) {
    let fitted = parts[0] as number;
    for (const end = at + terms.length; at < end; at++) fitted += parts[cells[at] as number] as number;
    residuals[row] = (residuals[row] as number) - fitted;
  }
}

/** b' C^-1 b for the coefficients b of a term, C being their block of an inverse, that of the model if absent. */
export function termSumSq(
  { size, ...model }: Pick<FactorModel, 'size' | 'inverse'>,
  term: ModelTerm,
  coefficients: Float64Array,
  inverse: Float64Array = model.inverse,
): number {
  const b = coefficients.subarray(term.from, term.from + term.df);
  const solved = solveCholesky(termFactor(inverse, size, term), term.df, b);
  let sum = 0;
  for (let index = 0; index < term.df; index++) sum += (b[index] as number) * (solved[index] as number);
  return sum;
}

const knownFactors = new WeakMap<Float64Array, Map<ModelTerm, Float64Array>>();

/** Cholesky factor of the block of an inverse that belongs to a term; kept, because permutations ask for it over and over. */
function termFactor(inverse: Float64Array, size: number, term: ModelTerm): Float64Array {
  let ofInverse = knownFactors.get(inverse);
  if (ofInverse === undefined) {
    ofInverse = new Map();
    knownFactors.set(inverse, ofInverse);
  }
  const known = ofInverse.get(term);
  if (known !== undefined) return known;
  const block = new Float64Array(term.df * term.df);
  for (let row = 0; row < term.df; row++) {
    const start = (term.from + row) * size + term.from;
    block.set(inverse.subarray(start, start + term.df), row * term.df);
  }
  const factor = cholesky(block, term.df);
  if (factor === undefined) throw new RangeError(`the columns of ${term.name} are not independent`);
  ofInverse.set(term, factor);
  return factor;
}

/**
 * The mean of the response at some levels, averaged evenly over the levels of all other factors and over the blocks, or the part of it that is due to some terms.
 *
 * @param levels - level index by factor index
 * @param counts - whether a term takes part; all do if absent, and then the overall mean does too
 * Sources: Searle, Speed, Milliken (1980), "Population marginal means in the linear model", The American Statistician 34(4); Satterthwaite (1946), "An approximate distribution of
 * estimates of variance components", Biometrics Bulletin 2(6).
 */
export function estimateAt(
  model: FactorModel,
  fit: FactorFit,
  levels: ReadonlyMap<number, number>,
  counts?: (term: ModelTerm) => boolean,
): Estimate {
  const at: number[] = counts === undefined ? [0] : [];
  const signs: number[] = counts === undefined ? [1] : [];
  for (const term of model.terms) {
    if (!term.factors.every((factor) => levels.has(factor)) || counts?.(term) === false) continue;
    visitColumns(
      term,
      model.factors,
      (factor) => levels.get(factor) as number,
      (column, sign) => {
        at.push(term.from + column);
        signs.push(sign);
      },
    );
  }
  let value = 0;
  for (const [i, column] of at.entries()) value += (signs[i] as number) * (fit.coefficients[column] as number);
  const squareIn = (matrix: Float64Array) => {
    let sum = 0;
    for (const [i, column] of at.entries()) {
      for (const [j, other] of at.entries()) {
        sum += (signs[i] as number) * (signs[j] as number) * (matrix[column * model.size + other] as number);
      }
    }
    return sum;
  };
  if (fit.strata !== undefined) return { value, ...errorAcrossStrata(fit.strata, squareIn) };
  const variance = (squareIn(model.inverse) * fit.residualSumSq) / fit.residualDf;
  return { value, standardError: Math.sqrt(variance), df: fit.residualDf };
}

/** Square sums of a combination -> its standard error, the degrees of freedom by Satterthwaite where both errors are in it. */
function errorAcrossStrata(
  { between, within, inverse, betweenShare }: ErrorStrata,
  squareIn: (matrix: Float64Array) => number,
): Omit<Estimate, 'value'> {
  const meanSqWithin = within.sumSq / within.df;
  const variance = squareIn(inverse) * meanSqWithin;
  const share = squareIn(betweenShare);
  const fromBetween = share * (between.sumSq / between.df);
  const isWithinOnly = share <= 1e-9 * squareIn(inverse);
  if (isWithinOnly) return { standardError: Math.sqrt(variance), df: within.df };
  if (between.df < 1) return { standardError: Number.NaN, df: Number.NaN };
  const fromWithin = Math.max(0, variance - fromBetween);
  const df = (fromBetween + fromWithin) ** 2 / (fromBetween ** 2 / between.df + fromWithin ** 2 / within.df);
  return { standardError: Math.sqrt(variance), df };
}
