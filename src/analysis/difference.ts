/** A difference with its standard error, before it is judged. */
export interface Difference {
  readonly value: number;
  readonly standardError: number;
  readonly df: number;
  readonly sd: number;
  readonly method: string;
}

/** Values of some rows with their blocks, the widths of their intervals, and their launches where these are told. */
export interface Sample {
  readonly values: readonly number[];
  readonly blocks: readonly string[];
  readonly launches: readonly number[];
  readonly widths: readonly (readonly [number, number])[];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample variance; 0 where all agree, whatever rounding would leave. */
function variance(values: readonly number[]): number {
  if (values.every((value) => value === values[0])) return 0;
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** The difference of one configuration on the scale, its error from the best source there is. */
export function differ(base: Sample, next: Sample, isLog: boolean, isPaired: boolean, z: number): Difference {
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const [x, y] = [base.values.map(onScale), next.values.map(onScale)];
  const value = mean(y) - mean(x);
  const pairs = isPaired ? pairByBlock(base.blocks, x, next.blocks, y) : [];
  const [varX, varY] = [variance(x), variance(y)];
  const sd = Math.sqrt((varX * (x.length - 1) + varY * (y.length - 1)) / (x.length + y.length - 2));
  if (pairs.length > 1) {
    const standardError = Math.sqrt(variance(pairs) / pairs.length);
    return { value: mean(pairs), standardError, df: pairs.length - 1, sd, method: 'paired t over blocks' };
  }
  if (x.length > 1 && y.length > 1) {
    const [errorX, errorY] = [varX / x.length, varY / y.length];
    const total = errorX + errorY;
    const df =
      total === 0
        ? x.length + y.length - 2
        : total ** 2 / (errorX ** 2 / (x.length - 1) + errorY ** 2 / (y.length - 1));
    return { value, standardError: Math.sqrt(total), df, sd, method: "Welch's t over replicates" };
  }
  const errors = [base, next].map(
    ({ widths }) =>
      widths.map(([lo, hi]) => (onScale(hi) - onScale(lo)) / (2 * z)).reduce((sum, error) => sum + error ** 2, 0) /
      widths.length ** 2,
  );
  const standardError = Math.sqrt((errors[0] as number) + (errors[1] as number));
  return Number.isFinite(standardError)
    ? { value, standardError, df: Number.POSITIVE_INFINITY, sd: Number.NaN, method: 'intervals of the windows' }
    : { value, standardError: Number.NaN, df: 0, sd: Number.NaN, method: 'one replicate: nothing tells the noise' };
}

/** Differences within the blocks that stand once on both sides. */
function pairByBlock(
  blocksX: readonly string[],
  x: readonly number[],
  blocksY: readonly string[],
  y: readonly number[],
): number[] {
  return blocksX.flatMap((block, at) => {
    const other = blocksY.indexOf(block);
    const isOnce =
      other >= 0 && blocksX.indexOf(block) === blocksX.lastIndexOf(block) && other === blocksY.lastIndexOf(block);
    return block !== '' && isOnce ? [(y[other] as number) - (x[at] as number)] : [];
  });
}

/** A difference that stands for some configurations. */
export interface Weighted extends Difference {
  readonly weight: number;
}

/** The mean over configurations taken as they are: errors add up, degrees of freedom by Welch and Satterthwaite. */
export function combine(differences: readonly Weighted[]): Difference {
  const [first] = differences as readonly [Weighted];
  if (differences.length === 1) return first;
  const count = differences.reduce((sum, { weight }) => sum + weight, 0);
  const value = differences.reduce((sum, one) => sum + one.weight * one.value, 0) / count;
  if (differences.some(({ standardError }) => Number.isNaN(standardError))) {
    const groups = differences.length;
    const standardError = Math.sqrt(variance(differences.map((one) => one.value)) / groups);
    return { value, standardError, df: groups - 1, sd: Number.NaN, method: 't over configurations' };
  }
  const errors = differences.map(({ weight, standardError }) => (weight * standardError) ** 2);
  const total = errors.reduce((sum, error) => sum + error, 0);
  const spread = differences.reduce((sum, { df }, at) => sum + (errors[at] as number) ** 2 / df, 0);
  return {
    value,
    standardError: Math.sqrt(total) / count,
    df: spread === 0 ? Math.min(...differences.map(({ df }) => df)) : total ** 2 / spread,
    sd: Math.sqrt(mean(differences.map(({ sd }) => sd ** 2))),
    method: `${first.method}, errors of ${differences.length} configurations added up`,
  };
}
