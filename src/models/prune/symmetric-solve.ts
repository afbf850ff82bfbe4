/**
 * A^-1 B of a positive definite A (n x n, of which the lower triangle is read) and B (n x m), row-major, by Cholesky's decomposition. Overwrites both; the result stands in B.
 */
export function solveSymmetric(a: Float64Array, b: Float64Array, n: number, m: number): Float64Array {
  return solveFactored(factorize(a, n, smallestPivot(a, n)), b, n, m);
}

/** Cholesky's factor L of a positive definite n x n matrix, L L' = A, in its lower triangle. Overwrites A, of which the lower triangle is read. @param least - stands for a pivot that rounding has made smaller */
export function factorize(a: Float64Array, n: number, least: number): Float64Array {
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = at(a, row * n + column);
      for (let k = 0; k < column; k++) sum -= at(a, row * n + k) * at(a, column * n + k);
      a[row * n + column] = row === column ? Math.sqrt(Math.max(sum, least)) : sum / at(a, column * n + column);
    }
  }
  return a;
}

/** A^-1 B for the factor of A, in place of B (n x m). */
export function solveFactored(a: Float64Array, b: Float64Array, n: number, m: number): Float64Array {
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) addRow(b, row, k, -at(a, row * n + k), m);
    scaleRow(b, row, 1 / at(a, row * n + row), m);
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) addRow(b, row, k, -at(a, k * n + row), m);
    scaleRow(b, row, 1 / at(a, row * n + row), m);
  }
  return b;
}

function smallestPivot(a: Float64Array, n: number): number {
  let largest = 1e-300;
  for (let index = 0; index < n; index++) largest = Math.max(largest, at(a, index * n + index));
  return Number.EPSILON * largest;
}

function addRow(rows: Float64Array, to: number, from: number, factor: number, length: number): void {
  if (factor === 0) return;
  for (let column = 0; column < length; column++) {
    rows[to * length + column] = at(rows, to * length + column) + factor * at(rows, from * length + column);
  }
}

function scaleRow(rows: Float64Array, row: number, factor: number, length: number): void {
  for (let column = 0; column < length; column++)
    rows[row * length + column] = at(rows, row * length + column) * factor;
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
