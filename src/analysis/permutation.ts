import type { Rng } from '../rng.ts';
import { type FactorFit, projectOnColumns, solveNormal, termSumSq } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';

/**
 * By term of the model: how often an F at least as large comes up when the residuals of the full model are exchanged at random, within blocks where there are blocks.
 *
 * Needs no assumption about the distribution of errors, only that those of the same block could have changed places. One exchange serves all terms.
 * @param exchanges - p cannot be smaller than 1 / (exchanges + 1)
 * Source: ter Braak (1992), "Permutation versus bootstrap significance tests in multiple regression and ANOVA"; compared with others in Anderson, Legendre (1999),
 * "An empirical comparison of permutation methods for tests of partial regression coefficients", Journal of Statistical Computation and Simulation 62(3).
 */
export function permutationP(model: FactorModel, fit: FactorFit, rng: Rng, exchanges: number): number[] {
  const groups = groupByBlock(model);
  const ratios = fit.sumsSq.map((sumSq) => sumSq / fit.residualSumSq);
  const asLarge = new Array<number>(model.terms.length).fill(0);
  const exchanged = fit.residuals.slice();
  let total = 0;
  for (const residual of exchanged) total += residual * residual;
  for (let exchange = 0; exchange < exchanges; exchange++) {
    for (const group of groups) shuffleAt(exchanged, group, rng);
    const projected = projectOnColumns(model, exchanged);
    const coefficients = solveNormal(model, projected);
    let explained = 0;
    for (let column = 0; column < model.size; column++) {
      explained += (projected[column] as number) * (coefficients[column] as number);
    }
    const residualSumSq = total - explained;
    for (const [index, term] of model.terms.entries()) {
      const ratio = termSumSq(model, term, coefficients) / residualSumSq;
      if (ratio >= (ratios[index] as number) * (1 - 1e-9)) asLarge[index] = (asLarge[index] as number) + 1;
    }
  }
  return asLarge.map((count) => (count + 1) / (exchanges + 1));
}

function groupByBlock({ factors, blockIndex, rowCount }: FactorModel): Int32Array[] {
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const block = factors[blockIndex];
  if (block === undefined) return [rows];
  return block.levels.map((_, code) => rows.filter((row) => block.codes[row] === code));
}

function shuffleAt(values: Float64Array, places: Int32Array, rng: Rng): void {
  for (let last = places.length - 1; last > 0; last--) {
    const a = places[last] as number;
    const b = places[rng.integer(0, last)] as number;
    const held = values[a] as number;
    values[a] = values[b] as number;
    values[b] = held;
  }
}
