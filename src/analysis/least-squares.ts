/** A linear least-squares fit. */
export interface LeastSquaresFit {
  readonly coefficients: Float64Array;
  /** Standard errors of the coefficients; NaN without degrees of freedom for error. */
  readonly standardErrors: Float64Array;
  /** Covariance of two coefficients, NaN without degrees of freedom for error. */
  covariance(i: number, j: number): number;
  readonly residualSumSq: number;
  readonly df: number;
}

/**
 * Fits y by the columns, by Householder's QR with columns scaled to a length of 1, corrected once by the residuals.
 *
 * @param columns - as many values each as y; include one of ones for an intercept
 * @returns undefined where there are fewer rows than columns, or a column follows from others
 * Source: Golub, Van Loan (2013), "Matrix Computations", 4th ed., alg. 5.2.1 and sec. 5.3.
 */
export function leastSquares(columns: readonly Float64Array[], y: Float64Array): LeastSquaresFit | undefined {
  const n = y.length;
  const p = columns.length;
  if (n < p) return undefined;
  const lengths = columns.map((column) => Math.hypot(...column));
  const work = columns.map((column, at) => column.map((value) => value / (lengths[at] as number)));
  const reflectors: Float64Array[] = [];
  for (let k = 0; k < p; k++) {
    const column = work[k] as Float64Array;
    const v = new Float64Array(n);
    for (let row = k; row < n; row++) v[row] = column[row] as number;
    const norm = Math.hypot(...v);
    // What is left of a column of length 1 when those before are taken out of it.
    if (!(norm > 1e-13)) return undefined;
    v[k] = (v[k] as number) + Math.sign((v[k] as number) || 1) * norm;
    reflectors.push(v);
    for (let j = k; j < p; j++) reflect(work[j] as Float64Array, v, k);
  }
  const solve = (right: Float64Array): Float64Array => {
    const rotated = right.slice();
    for (const [k, v] of reflectors.entries()) reflect(rotated, v, k);
    return solveUpper(work, rotated, p);
  };
  const scaled = solve(y);
  let residuals = residualsOf(columns, lengths, scaled, y);
  const correction = solve(residuals);
  for (let k = 0; k < p; k++) scaled[k] = (scaled[k] as number) + (correction[k] as number);
  residuals = residualsOf(columns, lengths, scaled, y);
  let residualSumSq = 0;
  for (const residual of residuals) residualSumSq += residual * residual;
  const df = n - p;
  const variance = df > 0 ? residualSumSq / df : Number.NaN;
  const inverse = invertUpper(work, p);
  const covariance = (i: number, j: number) => {
    let sum = 0;
    for (let k = Math.max(i, j); k < p; k++) sum += (inverse[k]?.[i] as number) * (inverse[k]?.[j] as number);
    return (variance * sum) / (lengths[i] as number) / (lengths[j] as number);
  };
  return {
    coefficients: scaled.map((value, k) => value / (lengths[k] as number)),
    standardErrors: Float64Array.from(lengths, (_, k) => Math.sqrt(covariance(k, k))),
    covariance,
    residualSumSq,
    df,
  };
}

function reflect(values: Float64Array, v: Float64Array, from: number): void {
  let dot = 0;
  let squares = 0;
  for (let row = from; row < values.length; row++) {
    dot += (v[row] as number) * (values[row] as number);
    squares += (v[row] as number) ** 2;
  }
  const factor = (2 * dot) / squares;
  for (let row = from; row < values.length; row++) {
    values[row] = (values[row] as number) - factor * (v[row] as number);
  }
}

/** Solves R x = b, R standing in the upper rows of the columns. */
function solveUpper(columns: readonly Float64Array[], b: Float64Array, p: number): Float64Array {
  const x = b.slice(0, p);
  for (let row = p - 1; row >= 0; row--) {
    let sum = x[row] as number;
    for (let k = row + 1; k < p; k++) sum -= ((columns[k] as Float64Array)[row] as number) * (x[k] as number);
    x[row] = sum / ((columns[row] as Float64Array)[row] as number);
  }
  return x;
}

/** Columns of the inverse of R. */
function invertUpper(columns: readonly Float64Array[], p: number): Float64Array[] {
  return columns.map((_, k) => {
    const unit = new Float64Array(p);
    unit[k] = 1;
    return solveUpper(columns, unit, p);
  });
}

function residualsOf(
  columns: readonly Float64Array[],
  lengths: readonly number[],
  scaled: Float64Array,
  y: Float64Array,
): Float64Array {
  return y.map((value, row) => {
    let fitted = 0;
    for (const [k, column] of columns.entries()) {
      fitted += ((column[row] as number) / (lengths[k] as number)) * (scaled[k] as number);
    }
    return value - fitted;
  });
}
