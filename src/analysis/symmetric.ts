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

/** Inverse of L L': that of L, and from it its cross products. */
export function invertCholesky(lower: Float64Array, size: number): Float64Array {
  // Row c holds column c of the inverse of L, whose entries before c are 0.
  const columns = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const start = column * size;
    columns[start + column] = 1 / (lower[start + column] as number);
    for (let row = column + 1; row < size; row++) {
      let sum = 0;
      for (let k = column; k < row; k++) sum -= (lower[row * size + k] as number) * (columns[start + k] as number);
      columns[start + row] = sum / (lower[row * size + row] as number);
    }
  }
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < size; k++) sum += (columns[i * size + k] as number) * (columns[j * size + k] as number);
      inverse[i * size + j] = sum;
      inverse[j * size + i] = sum;
    }
  }
  return inverse;
}
