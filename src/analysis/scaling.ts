import { tCritical } from '../student-t.ts';
import { numberCombinations } from './configurations.ts';
import { type LeastSquaresFit, leastSquares } from './least-squares.ts';
import type { Configurations } from './types.ts';

interface Parameter {
  readonly value: number;
  /** NaN without degrees of freedom for error. */
  readonly lo: number;
  readonly hi: number;
}

/** Throughput against an amount of something, all other factors held. */
export interface ScalingCurve {
  readonly response: string;
  readonly factor: string;
  /** A configuration of the curve: it has the levels that are held. */
  readonly configuration: number;
  readonly points: readonly {
    readonly amount: number;
    readonly mean: number;
    readonly n: number;
    /** Against the smallest amount. */
    readonly speedup: number;
    readonly efficiency: number;
  }[];
  /** Amdahl's law: the share of the work that does not get faster, and its throughput at an amount of one. */
  readonly amdahl: { readonly serial: Parameter; readonly atOne: number; readonly residualSd: number } | undefined;
  /** The universal scalability law; needs three amounts. */
  readonly usl:
    | {
        readonly contention: Parameter;
        readonly coherency: Parameter;
        /** Amount at which throughput is greatest; undefined where it only grows. */
        readonly peak: number | undefined;
        /** Its throughput at an amount of one. */
        readonly atOne: number;
        readonly residualSd: number;
      }
    | undefined;
}

/** Factors that are amounts of what a server may use. */
export const AMOUNTS: readonly string[] = ['threads', 'inter_op_threads', 'cpus', 'instances', 'workers'];

/**
 * Scaling curves of a throughput against each factor that is an amount, one for every combination of the other factors.
 *
 * Both laws are fitted to the rows by least squares in the form in which they are linear, amount / throughput = (1 + a (N - 1) + b N (N - 1)) / X1, with b = 0 for Amdahl's; intervals by the
 * delta method; residual standard deviations as shares of the throughput.
 * Sources: Amdahl (1967), AFIPS spring joint computer conference; Gunther (2007), "Guerrilla Capacity Planning", ch. 5 and 6.
 * @param values - one per row of the table, NaN where empty
 */
export function findScalingCurves(
  configurations: Configurations,
  response: string,
  values: Float64Array,
  confidence: number,
): ScalingCurve[] {
  return AMOUNTS.flatMap((factor) => {
    const index = configurations.factors.indexOf(factor);
    if (index < 0) return [];
    const levels = (configurations.levels[index] as readonly string[]).map((level) =>
      level === '' ? Number.NaN : Number(level),
    );
    const others = configurations.factors.flatMap((_, other) =>
      other === index
        ? []
        : [
            {
              levels: configurations.levels[other] as readonly string[],
              codes: configurations.codes[other] as Int32Array,
            },
          ],
    );
    const { ids, count } = numberCombinations(others, configurations.count);
    const groups = Array.from({ length: count }, (): number[] => []);
    for (const [configuration, id] of ids.entries()) groups[id]?.push(configuration);
    return groups.flatMap((group) => {
      const curve = fitCurve(configurations, index, levels, group, values, confidence);
      return curve === undefined ? [] : [{ response, factor, ...curve }];
    });
  });
}

function fitCurve(
  { codes, offsets, rows }: Configurations,
  index: number,
  levels: readonly number[],
  group: readonly number[],
  values: Float64Array,
  confidence: number,
): Omit<ScalingCurve, 'response' | 'factor'> | undefined {
  const measured = group
    .map((configuration) => ({
      configuration,
      amount: levels[codes[index]?.[configuration] as number] as number,
      values: [...rows.subarray(offsets[configuration], offsets[configuration + 1])]
        .map((row) => values[row] as number)
        .filter((value) => value > 0),
    }))
    .filter((point) => point.amount > 0 && point.values.length > 0)
    .sort((a, b) => a.amount - b.amount);
  const [first] = measured;
  if (first === undefined || measured.length < 2) return undefined;
  const meanOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const base = meanOf(first.values);
  const amounts = Float64Array.from(measured.flatMap((point) => point.values.map(() => point.amount)));
  const throughputs = Float64Array.from(measured.flatMap((point) => point.values));
  return {
    configuration: first.configuration,
    points: measured.map((point) => {
      const mean = meanOf(point.values);
      const speedup = mean / base;
      return {
        amount: point.amount,
        mean,
        n: point.values.length,
        speedup,
        efficiency: speedup / (point.amount / first.amount),
      };
    }),
    ...fitLaws(amounts, throughputs, measured.length, confidence),
  };
}

/** Both laws for throughputs at some amounts, of which `distinct` differ. */
export function fitLaws(
  amounts: Float64Array,
  throughputs: Float64Array,
  distinct: number,
  confidence: number,
): Pick<ScalingCurve, 'amdahl' | 'usl'> {
  const y = amounts.map((amount, at) => amount / (throughputs[at] as number));
  const ones = amounts.map(() => 1);
  const beyondOne = amounts.map((amount) => amount - 1);
  const pairs = amounts.map((amount) => amount * (amount - 1));
  const spread = (fit: LeastSquaresFit) => {
    const { coefficients } = fit;
    let squares = 0;
    for (const [at, amount] of amounts.entries()) {
      const inverse =
        (coefficients[0] as number) +
        (coefficients[1] as number) * (amount - 1) +
        (coefficients[2] ?? 0) * amount * (amount - 1);
      squares += (amount / inverse / (throughputs[at] as number) - 1) ** 2;
    }
    return fit.df > 0 ? Math.sqrt(squares / fit.df) : Number.NaN;
  };
  const amdahl = leastSquares([ones, beyondOne], y);
  const usl = distinct < 3 ? undefined : leastSquares([ones, beyondOne, pairs], y);
  const atOne = (fit: LeastSquaresFit) => 1 / (fit.coefficients[0] as number);
  const contention = usl && ratio(usl, 1, confidence);
  const coherency = usl && ratio(usl, 2, confidence);
  return {
    amdahl: amdahl && { serial: ratio(amdahl, 1, confidence), atOne: atOne(amdahl), residualSd: spread(amdahl) },
    usl:
      usl && contention && coherency
        ? {
            contention,
            coherency,
            peak:
              coherency.value > 0 && contention.value < 1
                ? Math.sqrt((1 - contention.value) / coherency.value)
                : undefined,
            atOne: atOne(usl),
            residualSd: spread(usl),
          }
        : undefined,
  };
}

/** Coefficient k over coefficient 0, with its interval by the delta method. */
function ratio(fit: LeastSquaresFit, k: number, confidence: number): Parameter {
  const base = fit.coefficients[0] as number;
  const value = (fit.coefficients[k] as number) / base;
  if (fit.df < 1) return { value, lo: Number.NaN, hi: Number.NaN };
  const variance =
    (fit.covariance(k, k) - 2 * value * fit.covariance(0, k) + value ** 2 * fit.covariance(0, 0)) / base ** 2;
  const halfWidth = tCritical(confidence, fit.df) * Math.sqrt(Math.max(0, variance));
  return { value, lo: value - halfWidth, hi: value + halfWidth };
}
