import type { Rng } from '../rng.ts';
import { numberCombinations } from './configurations.ts';
import { type FactorFit, projectOnColumns, solveNormal, termSumSq } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';
import { describe } from './moments.ts';
import { createOrders, type Orders } from './orders.ts';

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

/** How often an F at least as large as that observed comes up, that one counted in, and among how many others; none where nothing could have changed places. */
export interface PermutationTest {
  readonly p: number;
  readonly times: number;
}

/** The sum of squares of each term, and of the error that it is tested against. */
export interface TermSums {
  readonly ofTerms: readonly number[];
  readonly ofErrors: readonly number[];
}

/** What is exchanged, for one stratum or several. */
export interface Exchange {
  readonly observed: TermSums;
  /** Orders by stratum. */
  readonly orders: readonly Orders[];
  /** By term, the stratum that it is tested in. */
  readonly stratumOf: readonly number[];
  /** The sums of the residuals, by stratum in the order given, or as observed where there is none. */
  readonly exchangeResiduals: (orders: readonly (Int32Array | undefined)[]) => TermSums;
  /** The same of the values themselves. */
  readonly exchangeValues: (orders: readonly (Int32Array | undefined)[]) => TermSums;
}

/** Sums of squares that are no more than this share of another are rounding. */
const ROUNDING = 1e-9;

/**
 * Counts for every term the orders with an F at least as large.
 *
 * The order observed counts as one. So does one in which the residuals fit the model no better than in theirs, because it gives no more than other names to the levels: the values themselves
 * tell whether a term has the same sum of squares in it. Two levels in three blocks have 8 orders and 4 values of F, so that p is 1/4 or more.
 */
export function countAsLarge({
  observed,
  orders,
  stratumOf,
  exchangeResiduals,
  exchangeValues,
}: Exchange): (PermutationTest | undefined)[] {
  const asLarge = stratumOf.map(() => 0);
  const most = Math.max(...orders.map(({ count }) => count));
  const termsOf = orders.map((_, stratum) => [...stratumOf.keys()].filter((term) => stratumOf[term] === stratum));
  const isAsLarge = (found: number, known: number) => found >= known * (1 - ROUNDING);
  for (let step = 0; step < most; step++) {
    const exchanged = orders.map(({ count, next }) => (step < count ? next() : undefined));
    const { ofTerms, ofErrors } = exchangeResiduals(exchanged);
    for (const [stratum, own] of termsOf.entries()) {
      if (exchanged[stratum] === undefined) continue;
      const isRenaming = own.every((term) => (ofTerms[term] as number) <= ROUNDING * (ofErrors[term] as number));
      const ofValues = isRenaming
        ? exchangeValues(exchanged.map((order, other) => (other === stratum ? order : undefined))).ofTerms
        : undefined;
      for (const term of own) {
        const [known, knownError] = [observed.ofTerms[term] as number, observed.ofErrors[term] as number];
        const isCounted =
          ofValues === undefined
            ? isAsLarge((ofTerms[term] as number) / (ofErrors[term] as number), known / knownError)
            : isAsLarge(ofValues[term] as number, known);
        if (isCounted) asLarge[term] = (asLarge[term] as number) + 1;
      }
    }
  }
  return asLarge.map((count, term) => {
    const times = (orders[stratumOf[term] as number] as Orders).count;
    return times === 0 ? undefined : { p: (count + 1) / (times + 1), times };
  });
}

/**
 * By term of the model: how often an F at least as large comes up when the residuals of the full model are exchanged, within blocks where there are blocks; in every distinct order where there
 * are few, at random otherwise.
 *
 * Needs no assumption about the distribution of errors, only that those of the same block could have changed places. One exchange serves all terms.
 * @param values - that the model was fitted to
 * @param exchanges - at most so many; p cannot be smaller than 1 / (exchanges + 1)
 * Source: ter Braak (1992), "Permutation versus bootstrap significance tests in multiple regression and ANOVA"; compared with others in Anderson, Legendre (1999),
 * "An empirical comparison of permutation methods for tests of partial regression coefficients", Journal of Statistical Computation and Simulation 62(3).
 */
export function permutationP(
  model: FactorModel,
  fit: FactorFit,
  values: Float64Array,
  rng: Rng,
  exchanges: number,
): (PermutationTest | undefined)[] {
  const { mean } = describe(values);
  const centred = values.map((value) => value - mean);
  const exchanged = new Float64Array(values.length);
  const exchange =
    (from: Float64Array) =>
    ([order]: readonly (Int32Array | undefined)[]) => {
      for (let row = 0; row < from.length; row++) exchanged[row] = from[order?.[row] ?? row] as number;
      return sumsOfTerms(model, exchanged);
    };
  return countAsLarge({
    observed: { ofTerms: fit.sumsSq, ofErrors: fit.sumsSq.map(() => fit.residualSumSq) },
    orders: [createOrders(groupByBlock(model), labelRows(model), exchanges, rng)],
    stratumOf: model.terms.map(() => 0),
    exchangeResiduals: exchange(fit.residuals),
    exchangeValues: exchange(centred),
  });
}

function sumsOfTerms(model: FactorModel, values: Float64Array): TermSums {
  const projected = projectOnColumns(model, values);
  const coefficients = solveNormal(model, projected);
  let left = 0;
  for (const value of values) left += value * value;
  for (let column = 0; column < model.size; column++) {
    left -= (projected[column] as number) * (coefficients[column] as number);
  }
  return {
    ofTerms: model.terms.map((term) => termSumSq(model, term, coefficients)),
    ofErrors: model.terms.map(() => left),
  };
}

export function groupByBlock({ factors, blockIndex, rowCount }: FactorModel): Int32Array[] {
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const block = factors[blockIndex];
  if (block === undefined) return [rows];
  return block.levels.map((_, code) => rows.filter((row) => block.codes[row] === code));
}

/** Per row a number that is the same for rows of equal levels, whatever their block. */
export function labelRows({ factors, blockIndex, rowCount }: FactorModel): Int32Array {
  return numberCombinations(
    factors.filter((_, index) => index !== blockIndex),
    rowCount,
  ).ids;
}
