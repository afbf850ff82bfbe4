/** Square matrices are stored by rows in one array, entry (i, j) at `i * size + j`. */

/**
 * Cholesky factor L, lower triangular, of a symmetric positive definite matrix: L L' is the matrix. Undefined where it is not positive definite.
 *
 * Source: Golub, Van Loan (2013), "Matrix Computations", 4th ed., alg. 4.2.1.
 */
export function cholesky(matrix: Float64Array, size: number): Float64Array | undefined {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++) {
        sum -= (lower[row * size + k] as number) * (lower[column * size + k] as number);
      }
      if (row === column) {
        if (!(sum > 0)) return undefined;
        lower[row * size + row] = Math.sqrt(sum);
      } else lower[row * size + column] = sum / (lower[column * size + column] as number);
    }
  }
  return lower;
}

/** Solves L L' x = b for x. */
export function solveCholesky(lower: Float64Array, size: number, b: Float64Array): Float64Array {
  return solveTransposed(lower, size, solveLower(lower, size, b));
}

/** Solves L x = b for x. */
function solveLower(lower: Float64Array, size: number, b: Float64Array): Float64Array {
  const x = b.slice(0, size);
  for (let row = 0; row < size; row++) {
    let sum = x[row] as number;
    for (let k = 0; k < row; k++) sum -= (lower[row * size + k] as number) * (x[k] as number);
    x[row] = sum / (lower[row * size + row] as number);
  }
  return x;
}

/** Solves L' x = b for x. */
export function solveTransposed(lower: Float64Array, size: number, b: Float64Array): Float64Array {
  const x = b.slice(0, size);
  for (let row = size - 1; row >= 0; row--) {
    const value = (x[row] as number) / (lower[row * size + row] as number);
    x[row] = value;
    for (let k = 0; k < row; k++) x[k] = (x[k] as number) - (lower[row * size + k] as number) * value;
  }
  return x;
}

/**
 * Inverse of L L': that of L, and from it its cross products.
 *
 * Whole rows are added at a time and zeros passed over, so that balanced designs, where most entries are 0, take a small part of the usual size^3 / 3 steps.
 */
export function invertCholesky(lower: Float64Array, size: number): Float64Array {
  const inverseLower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const start = row * size;
    for (let k = 0; k < row; k++) addRow(inverseLower, start, k * size, k + 1, -(lower[start + k] as number));
    const pivot = lower[start + row] as number;
    for (let column = 0; column < row; column++) {
      inverseLower[start + column] = (inverseLower[start + column] as number) / pivot;
    }
    inverseLower[start + row] = 1 / pivot;
  }
  const inverse = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    for (let i = 0; i <= k; i++) {
      addRow(inverse, i * size, k * size, i + 1, inverseLower[k * size + i] as number, inverseLower);
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) inverse[j * size + i] = inverse[i * size + j] as number;
  }
  return inverse;
}

/**
 * Inverse of the part of a symmetric matrix whose columns do not follow from those before them, 0 elsewhere.
 *
 * @param scales - by column: a pivot below a billionth of it counts as 0
 */
export function invertIndependent(
  matrix: Float64Array,
  size: number,
  scales: (column: number) => number,
): { readonly inverse: Float64Array; readonly isIndependent: Uint8Array } {
  const isIndependent = new Uint8Array(size);
  const taken: number[] = [];
  const lower = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const count = taken.length;
    let pivot = matrix[column * size + column] as number;
    for (let k = 0; k < count; k++) {
      let sum = matrix[column * size + (taken[k] as number)] as number;
      for (let j = 0; j < k; j++) sum -= (lower[k * size + j] as number) * (lower[count * size + j] as number);
      sum /= lower[k * size + k] as number;
      lower[count * size + k] = sum;
      pivot -= sum * sum;
    }
    if (!(pivot > 1e-9 * scales(column))) continue;
    lower[count * size + count] = Math.sqrt(pivot);
    taken.push(column);
    isIndependent[column] = 1;
  }
  const count = taken.length;
  const dense = new Float64Array(count * count);
  for (let row = 0; row < count; row++) dense.set(lower.subarray(row * size, row * size + count), row * count);
  const small = invertCholesky(dense, count);
  const inverse = new Float64Array(size * size);
  for (const [i, row] of taken.entries()) {
    for (const [j, column] of taken.entries()) inverse[row * size + column] = small[i * count + j] as number;
  }
  return { inverse, isIndependent };
}

/** Adds a multiple of `count` entries from `source` on to those from `target` on. */
function addRow(
  entries: Float64Array,
  target: number,
  source: number,
  count: number,
  factor: number,
  from: Float64Array = entries,
): void {
  if (factor === 0) return;
  for (let at = 0; at < count; at++) {
    entries[target + at] = (entries[target + at] as number) + factor * (from[source + at] as number);
  }
}
