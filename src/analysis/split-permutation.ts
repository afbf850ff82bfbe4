import type { Rng } from '../rng.ts';
import { type ErrorStrata, type FactorFit, projectOnColumns, termSumSq } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';
import { groupByBlock, shuffleAt } from './permutation.ts';
import { multiply, type SplitPlot, splitResiduals } from './split-plot.ts';

/**
 * By term of the model: how often an F at least as large comes up when what launches have of their own is exchanged among the launches of a block, and what is left of each residual among
 * the trials of its launch.
 *
 * @param exchanges - p cannot be smaller than 1 / (exchanges + 1)
 * Source: Anderson, ter Braak (2003), "Permutation tests for multi-factorial analysis of variance", Journal of Statistical Computation and Simulation 73(2): the units exchanged are those of
 * the error that a term is tested against.
 */
export function permutationPInStrata(
  model: FactorModel,
  plot: SplitPlot,
  { residuals, coefficients }: FactorFit,
  { inverse, isWithin, weigh }: ErrorStrata,
  rng: Rng,
  exchanges: number,
): number[] {
  const { codes, count } = plot.launches;
  const ofLaunch = new Float64Array(count);
  for (const [row, launch] of codes.entries()) {
    ofLaunch[launch] = (ofLaunch[launch] as number) + (residuals[row] as number) / (plot.sizes[launch] as number);
  }
  const ofTrial = residuals.map((residual, row) => residual - (ofLaunch[codes[row] as number] as number));
  const blocks = groupByBlock(model).map((rows) => Int32Array.from(new Set(rows.map((row) => codes[row] as number))));
  const launches = rowsByLaunch(codes, count);
  const ratiosOf = (fitted: Float64Array, left: Float64Array) => {
    const errors = splitResiduals(model, plot, left);
    return model.terms.map(
      (term, index) => termSumSq(model, term, fitted, inverse) / (isWithin[index] ? errors.within : errors.between),
    );
  };
  const ratios = ratiosOf(coefficients, residuals);
  const asLarge = new Array<number>(model.terms.length).fill(0);
  const exchanged = new Float64Array(residuals.length);
  for (let exchange = 0; exchange < exchanges; exchange++) {
    for (const block of blocks) shuffleAt(ofLaunch, block, rng);
    for (const rows of launches) shuffleAt(ofTrial, rows, rng);
    for (const [row, launch] of codes.entries()) {
      exchanged[row] = (ofLaunch[launch] as number) + (ofTrial[row] as number);
    }
    const found = ratiosOf(multiply(inverse, model.size, projectOnColumns(model, weigh(exchanged))), exchanged);
    for (const [index, ratio] of found.entries()) {
      if (ratio >= (ratios[index] as number) * (1 - 1e-9)) asLarge[index] = (asLarge[index] as number) + 1;
    }
  }
  return asLarge.map((times) => (times + 1) / (exchanges + 1));
}

function rowsByLaunch(codes: Int32Array, count: number): Int32Array[] {
  const rows = Array.from({ length: count }, (): number[] => []);
  for (const [row, launch] of codes.entries()) rows[launch]?.push(row);
  return rows.map((of) => Int32Array.from(of));
}
