import type { Rng } from '../rng.ts';
import { type FactorFit, projectOnColumns, solveNormal, termSumSq } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';

/** Exchanges of a permutation test where all tests of a table together leave time for them, and the least that are worth having. */
const EXCHANGES = 999;
const LEAST_EXCHANGES = 99;
/** Above this many rows the F test no longer leans on the shape of the errors, and exchanges would take minutes. */
const MOST_ROWS = 2000;
/** Terms by row and entries of the inverse gone through in one exchange of one response, and in all exchanges of a table, which then take about a second. */
const MOST_WORK_EACH = 100_000;
const MOST_WORK_TOGETHER = 4e8;

/** Why there is none where `shareExchanges` gives 0. */
export const TOO_MANY_FITS = `p_permutation: not even ${LEAST_EXCHANGES} exchanges for each response and context would take a reasonable time`;

/** Terms by row and entries of the inverse: what one exchange goes through, three times where there are launches. */
export function workOfExchange({ cells, size, launches }: FactorModel): number {
  return (cells.length + size ** 2) * (launches === undefined ? 1 : 3);
}

/** Why a model is too large to exchange its residuals; undefined where it is not. */
export function sayWhyNotExchanged(model: FactorModel): string | undefined {
  if (model.rowCount > MOST_ROWS) return `p_permutation: more than ${MOST_ROWS} rows, with which the F test needs none`;
  return workOfExchange(model) > MOST_WORK_EACH
    ? `p_permutation: ${model.rowCount} rows with ${model.size} columns are too many`
    : undefined;
}

/** How many exchanges each test gets where these are their amounts of work: 999, or as many fewer as all together have time for; 0 where that is below 99. */
export function shareExchanges(works: readonly number[]): number {
  const together = works.reduce((sum, work) => sum + work, 0);
  const times = Math.min(EXCHANGES, Math.floor(MOST_WORK_TOGETHER / Math.max(1, together)));
  return times < LEAST_EXCHANGES ? 0 : times;
}

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

export function groupByBlock({ factors, blockIndex, rowCount }: FactorModel): Int32Array[] {
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const block = factors[blockIndex];
  if (block === undefined) return [rows];
  return block.levels.map((_, code) => rows.filter((row) => block.codes[row] === code));
}

export function shuffleAt(values: Float64Array, places: Int32Array, rng: Rng): void {
  for (let last = places.length - 1; last > 0; last--) {
    const a = places[last] as number;
    const b = places[rng.integer(0, last)] as number;
    const held = values[a] as number;
    values[a] = values[b] as number;
    values[b] = held;
  }
}
