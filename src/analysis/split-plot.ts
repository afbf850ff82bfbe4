import {
  type ErrorStrata,
  type FactorFit,
  projectOnColumns,
  solveNormal,
  subtractFitted,
  termSumSq,
} from './factor-fit.ts';
import { type FactorModel, type Launches, productsOf } from './factor-model.ts';
import { describe } from './moments.ts';
import { cholesky, invertCholesky, invertIndependent } from './symmetric.ts';
import { sumByCell, sumByColumn } from './term-cells.ts';

/** Launches by the squares of columns are gone through once; above this they would take more than a few seconds. */
const MOST_WORK = 1e9;

/** What a model with launches makes of any response of its rows, worked out once. */
export interface SplitPlot {
  readonly launches: Launches;
  /** Rows by launch. */
  readonly sizes: Float64Array;
  /** Cross products of the columns of X, and of their sums by launch, the launches of one size together. */
  readonly products: Float64Array;
  readonly bySize: ReadonlyMap<number, Float64Array>;
  /** Inverse of the cross products within launches, 0 where a column says nothing there. */
  readonly withinInverse: Float64Array;
  readonly isWithin: readonly boolean[];
  readonly betweenDf: number;
  readonly withinDf: number;
  /** By how much a variance of 1 between launches would raise the residual sum of squares. */
  readonly trace: number;
}

/** Prepares the strata of a model; a reason where there are too many launches, undefined where rows share none. */
export function prepareSplitPlot(model: FactorModel): SplitPlot | string | undefined {
  const { launches, size, rowCount, terms } = model;
  if (launches === undefined) return undefined;
  if (launches.count * size ** 2 > MOST_WORK) {
    return `${launches.count} launches with ${size} columns are too many to tell how launches differ`;
  }
  const sizes = new Float64Array(launches.count);
  for (const launch of launches.codes) sizes[launch] = (sizes[launch] as number) + 1;
  const products = productsOf(model);
  const bySize = sumProductsBySize(model, launches, sizes);
  const weigh = (weightOf: (rows: number) => number) => weighProducts(bySize, size, weightOf);
  const inLaunches = weigh((rows) => 1 / rows);
  const { inverse: withinInverse, isIndependent } = invertIndependent(
    products.map((value, at) => value - (inLaunches[at] as number)),
    size,
    (column) => products[column * size + column] as number,
  );
  const rank = isIndependent.reduce((sum, mark) => sum + mark, 0);
  let explained = 0;
  const all = weigh(() => 1);
  for (let at = 0; at < all.length; at++) explained += (all[at] as number) * (model.inverse[at] as number);
  return {
    launches,
    sizes,
    products,
    bySize,
    withinInverse,
    isWithin: terms.map(({ from, df }) => isIndependent.subarray(from, from + df).every((mark) => mark === 1)),
    betweenDf: launches.count + rank - size,
    withinDf: rowCount - launches.count - rank,
    trace: rowCount - explained,
  };
}

/** Sums of s s' over launches of each size, s being the sums of the columns over the rows of a launch. */
function sumProductsBySize(
  { cells, terms, cellTotal, size, rowCount }: FactorModel,
  { codes, count }: Launches,
  sizes: Float64Array,
): Map<number, Float64Array> {
  const ends = new Int32Array(count + 1);
  for (let launch = 0; launch < count; launch++)
    ends[launch + 1] = (ends[launch] as number) + (sizes[launch] as number);
  const next = ends.slice();
  const rows = new Int32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const launch = codes[row] as number;
    const at = next[launch] as number;
    rows[at] = row;
    next[launch] = at + 1;
  }
  const bySize = new Map<number, Float64Array>();
  for (let launch = 0; launch < count; launch++) {
    const members = rows.subarray(ends[launch], ends[launch + 1]);
    const own = new Int32Array(members.length * terms.length);
    for (const [place, row] of members.entries()) {
      own.set(cells.subarray(row * terms.length, (row + 1) * terms.length), place * terms.length);
    }
    const ones = new Float64Array(members.length).fill(1);
    const sums = sumByColumn(terms, size, sumByCell(own, terms.length, cellTotal, ones));
    const known = bySize.get(members.length) ?? new Float64Array(size * size);
    bySize.set(members.length, known);
    for (let i = 0; i < size; i++) {
      const value = sums[i] as number;
      if (value === 0) continue;
      for (let j = 0; j < size; j++)
        known[i * size + j] = (known[i * size + j] as number) + value * (sums[j] as number);
    }
  }
  return bySize;
}

function weighProducts(bySize: SplitPlot['bySize'], size: number, weightOf: (rows: number) => number): Float64Array {
  const sum = new Float64Array(size * size);
  for (const [rows, products] of bySize) {
    const weight = weightOf(rows);
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + weight * (products[at] as number);
  }
  return sum;
}

/**
 * Fits a model whose rows share launches: responses of one launch are alike by what that launch has of its own, so that terms that differ between launches are tested against the variation
 * between launches, and terms that differ within them against that within.
 *
 * Residual sums of squares of both strata by fitting constants, the terms by generalised least squares with the variances that follow from them. Where all launches saw the same levels that
 * is the analysis of variance of a split-plot design, whose tests are exact; variance between launches may come out below 0, as there. Where they did not, a term has the degrees of freedom of its stratum.
 * Sources: Montgomery (2019), "Design and Analysis of Experiments", 10th ed., sec. 14.5; Fuller, Battese (1973), "Transformations for estimation of linear models with nested-error structure",
 * Journal of the American Statistical Association 68; Henderson (1953), "Estimation of variance and covariance components", Biometrics 9 (method 3).
 */
export function fitSplitPlot(model: FactorModel, plot: SplitPlot, plain: FactorFit, y: Float64Array): FactorFit {
  const { size, terms } = model;
  const errors = splitResiduals(model, plot, plain.residuals);
  const between = { sumSq: errors.between, df: plot.betweenDf };
  const within = { sumSq: errors.within, df: plot.withinDf };
  const ratio = varianceRatio(plot, between, within);
  const remaining = (rows: number) => 1 / (1 + rows * ratio);
  const taken = weighProducts(plot.bySize, size, (rows) => ratio * remaining(rows));
  const inverse = invertSymmetric(
    plot.products.map((value, at) => value - (taken[at] as number)),
    size,
  );
  const { mean } = describe(y);
  const residuals = y.map((value) => value - mean);
  const weigh = (values: Float64Array) => weighLaunches(plot, values, (rows) => ratio * remaining(rows));
  const coefficients = multiply(inverse, size, projectOnColumns(model, weigh(residuals)));
  subtractFitted(model, coefficients, residuals);
  const spread = weighProducts(plot.bySize, size, (rows) => remaining(rows) ** 2);
  const betweenShare = sandwich(inverse, spread, size, between.df / plot.trace);
  const strata: ErrorStrata = { between, within, isWithin: plot.isWithin, inverse, betweenShare, weigh };
  const sumsSq = terms.map((term, index) => {
    const sumSq = termSumSq(model, term, coefficients, inverse);
    const own = plot.isWithin[index] ? within : between;
    if (own.df < 1) return Number.NaN;
    return (sumSq / (within.sumSq / within.df)) * (own.sumSq / own.df);
  });
  coefficients[0] = (coefficients[0] as number) + mean;
  return { ...plain, coefficients, residuals, sumsSq, strata };
}

/** Variance between launches over that within; where nothing tells the former, so large that only differences within launches count. */
function varianceRatio({ trace, sizes }: SplitPlot, between: ErrorStrata['between'], within: ErrorStrata['within']) {
  if (between.df < 1) return 1e6;
  const meanSqWithin = within.sumSq / within.df;
  const ratio = (between.sumSq - meanSqWithin * between.df) / trace / meanSqWithin;
  const largest = sizes.reduce((most, rows) => Math.max(most, rows), 1);
  return Math.max(ratio, -(1 - 1e-9) / largest);
}

/** Residual sums of squares of some residuals of the model within launches, and what the model leaves beyond that. */
export function splitResiduals(model: FactorModel, plot: SplitPlot, residuals: Float64Array) {
  const centred = weighLaunches(plot, residuals, (rows) => 1 / rows);
  const projected = projectOnColumns(model, centred);
  const coefficients = multiply(plot.withinInverse, model.size, projected);
  let within = 0;
  let total = 0;
  for (let row = 0; row < residuals.length; row++) {
    within += (centred[row] as number) ** 2;
    total += (residuals[row] as number) ** 2;
  }
  const ofModel = projectOnColumns(model, residuals);
  const solved = solveNormal(model, ofModel);
  for (let column = 0; column < model.size; column++) {
    within -= (projected[column] as number) * (coefficients[column] as number);
    total -= (ofModel[column] as number) * (solved[column] as number);
  }
  return { within, between: Math.max(0, total - within) };
}

/** Values less a share, by the size of their launch, of the sum over that launch. */
function weighLaunches(
  { launches: { codes, count }, sizes }: SplitPlot,
  values: Float64Array,
  weightOf: (rows: number) => number,
): Float64Array {
  const sums = new Float64Array(count);
  for (const [row, launch] of codes.entries()) sums[launch] = (sums[launch] as number) + (values[row] as number);
  for (let launch = 0; launch < count; launch++) {
    sums[launch] = (sums[launch] as number) * weightOf(sizes[launch] as number);
  }
  return values.map((value, row) => value - (sums[codes[row] as number] as number));
}

function invertSymmetric(matrix: Float64Array, size: number): Float64Array {
  const lower = cholesky(matrix, size);
  if (lower === undefined) throw new RangeError('the weighted columns of a model are not independent');
  return invertCholesky(lower, size);
}

export function multiply(matrix: Float64Array, size: number, vector: Float64Array): Float64Array {
  const product = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let column = 0; column < size; column++)
      sum += (matrix[row * size + column] as number) * (vector[column] as number);
    product[row] = sum;
  }
  return product;
}

/** factor * A B A. */
function sandwich(a: Float64Array, b: Float64Array, size: number, factor: number): Float64Array {
  return product(product(a, b, size), a, size).map((value) => factor * value);
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const value = a[i * size + k] as number;
      if (value === 0) continue;
      for (let j = 0; j < size; j++) {
        result[i * size + j] = (result[i * size + j] as number) + value * (b[k * size + j] as number);
      }
    }
  }
  return result;
}
