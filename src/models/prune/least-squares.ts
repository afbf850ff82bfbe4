/**
 * Accumulates the normal equations of a linear regression row by row, and solves them with a ridge.
 *
 * For rows x of n inputs and y of m outputs it minimises |Y - X D|^2 + ridge * t * |D|^2, with t the mean of the diagonal of X'X. So a solution exists whatever the rows, and
 * what they say nothing of stays 0.
 */
export class LeastSquares {
  readonly inputs: number;
  readonly outputs: number;
  readonly #gram: Float64Array;
  readonly #moments: Float64Array;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.#gram = new Float64Array(inputs * inputs);
    this.#moments = new Float64Array(inputs * outputs);
  }

  add(x: ArrayLike<number>, y: ArrayLike<number>): void {
    const { inputs, outputs } = this;
    for (let row = 0; row < inputs; row++) {
      const value = x[row] ?? 0;
      // Behind a ReLU half of the inputs are 0.
      if (value === 0) continue;
      const gramRow = row * inputs;
      for (let column = 0; column <= row; column++) {
        this.#gram[gramRow + column] = (this.#gram[gramRow + column] as number) + value * (x[column] as number);
      }
      const momentRow = row * outputs;
      for (let column = 0; column < outputs; column++) {
        this.#moments[momentRow + column] =
          (this.#moments[momentRow + column] as number) + value * (y[column] as number);
      }
    }
  }

  /** X'X with the ridge on its diagonal, inputs x inputs. */
  ridgedGram(ridge: number): Float64Array {
    const n = this.inputs;
    const gram = this.#gram.slice();
    const added = this.#ridgeOf(ridge);
    for (let row = 0; row < n; row++) {
      gram[row * n + row] = (gram[row * n + row] as number) + added;
      for (let column = 0; column < row; column++) gram[column * n + row] = gram[row * n + column] as number;
    }
    return gram;
  }

  #ridgeOf(ridge: number): number {
    let trace = 0;
    for (let index = 0; index < this.inputs; index++) trace += this.#gram[index * this.inputs + index] as number;
    return (ridge * trace) / this.inputs || 1;
  }

  /** D as inputs x outputs, row-major, by Cholesky's decomposition. */
  solve(ridge: number): Float64Array {
    const { inputs: n, outputs: m } = this;
    const factor = this.ridgedGram(ridge);
    const added = this.#ridgeOf(ridge);
    for (let row = 0; row < n; row++) {
      for (let column = 0; column <= row; column++) {
        let sum = factor[row * n + column] as number;
        for (let k = 0; k < column; k++) sum -= (factor[row * n + k] as number) * (factor[column * n + k] as number);
        factor[row * n + column] =
          row === column ? Math.sqrt(Math.max(sum, added * 1e-6)) : sum / (factor[column * n + column] as number);
      }
    }
    const solution = this.#moments.slice();
    for (let row = 0; row < n; row++) {
      for (let k = 0; k < row; k++) subtract(solution, row, k, factor[row * n + k] as number, m);
      scale(solution, row, 1 / (factor[row * n + row] as number), m);
    }
    for (let row = n - 1; row >= 0; row--) {
      for (let k = row + 1; k < n; k++) subtract(solution, row, k, factor[k * n + row] as number, m);
      scale(solution, row, 1 / (factor[row * n + row] as number), m);
    }
    return solution;
  }
}

/** Row `to` minus `weight` times row `from`. */
function subtract(rows: Float64Array, to: number, from: number, weight: number, length: number): void {
  for (let column = 0; column < length; column++) {
    rows[to * length + column] =
      (rows[to * length + column] as number) - weight * (rows[from * length + column] as number);
  }
}

function scale(rows: Float64Array, row: number, factor: number, length: number): void {
  for (let column = 0; column < length; column++) {
    rows[row * length + column] = (rows[row * length + column] as number) * factor;
  }
}
