import type { Rng } from '../rng.ts';
import { type ErrorStrata, type FactorFit, projectOnColumns, termSumSq } from './factor-fit.ts';
import type { FactorModel } from './factor-model.ts';
import { describe } from './moments.ts';
import { createOrders } from './orders.ts';
import { countAsLarge, groupByBlock, labelRows, type PermutationTest, type TermSums } from './permutation.ts';
import { multiply, type SplitPlot, splitResiduals } from './split-plot.ts';

/**
 * By term of the model: how often an F at least as large comes up when what launches have of their own is exchanged among the launches of a block, and what is left of each residual among
 * the trials of its launch; in each stratum in every distinct order where there are few, at random otherwise.
 *
 * @param values - that the model was fitted to
 * @param exchanges - at most so many; p cannot be smaller than 1 / (exchanges + 1)
 * Source: Anderson, ter Braak (2003), "Permutation tests for multi-factorial analysis of variance", Journal of Statistical Computation and Simulation 73(2): the units exchanged are those of
 * the error that a term is tested against.
 */
export function permutationPInStrata(
  model: FactorModel,
  plot: SplitPlot,
  { residuals, coefficients }: FactorFit,
  { inverse, isWithin, weigh }: ErrorStrata,
  values: Float64Array,
  rng: Rng,
  exchanges: number,
): (PermutationTest | undefined)[] {
  const { codes, count } = plot.launches;
  const blocks = groupByBlock(model).map((rows) => Int32Array.from(new Set(rows.map((row) => codes[row] as number))));
  const labels = labelRows(model);
  const launches = rowsByLaunch(codes, count);
  const sumsOf = (fitted: Float64Array, left: Float64Array): TermSums => {
    const errors = splitResiduals(model, plot, left);
    return {
      ofTerms: model.terms.map((term) => termSumSq(model, term, fitted, inverse)),
      ofErrors: isWithin.map((mark) => (mark ? errors.within : errors.between)),
    };
  };
  const exchange = (from: Float64Array) => {
    const { ofLaunch, ofTrial } = splitByLaunch(plot, from);
    const exchanged = new Float64Array(from.length);
    return ([ofLaunches, ofTrials]: readonly (Int32Array | undefined)[]) => {
      for (const [row, launch] of codes.entries()) {
        exchanged[row] =
          (ofLaunch[ofLaunches?.[launch] ?? launch] as number) + (ofTrial[ofTrials?.[row] ?? row] as number);
      }
      return sumsOf(multiply(inverse, model.size, projectOnColumns(model, weigh(exchanged))), exchanged);
    };
  };
  const { mean } = describe(values);
  return countAsLarge({
    observed: sumsOf(coefficients, residuals),
    orders: [
      createOrders(blocks, labelLaunches(launches, labels), exchanges, rng),
      createOrders(launches, labels, exchanges, rng),
    ],
    stratumOf: isWithin.map(Number),
    exchangeResiduals: exchange(residuals),
    exchangeValues: exchange(values.map((value) => value - mean)),
  });
}

/** The mean of each launch, and what is left of each value. */
function splitByLaunch({ launches: { codes, count }, sizes }: SplitPlot, values: Float64Array) {
  const ofLaunch = new Float64Array(count);
  for (const [row, launch] of codes.entries()) {
    ofLaunch[launch] = (ofLaunch[launch] as number) + (values[row] as number) / (sizes[launch] as number);
  }
  return { ofLaunch, ofTrial: values.map((value, row) => value - (ofLaunch[codes[row] as number] as number)) };
}

function rowsByLaunch(codes: Int32Array, count: number): Int32Array[] {
  const rows = Array.from({ length: count }, (): number[] => []);
  for (const [row, launch] of codes.entries()) rows[launch]?.push(row);
  return rows.map((of) => Int32Array.from(of));
}

/** Per launch a number that is the same for launches that saw the same levels. */
function labelLaunches(launches: readonly Int32Array[], labels: Int32Array): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(launches, (rows) => {
    const seen = rows
      .map((row) => labels[row] as number)
      .toSorted()
      .join();
    const number = numbers.get(seen) ?? numbers.size;
    numbers.set(seen, number);
    return number;
  });
}
