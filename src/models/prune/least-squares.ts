import { solveSymmetric } from './symmetric-solve.ts';

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
    const least = 1e-6 * this.#ridgeOf(ridge);
    return solveSymmetric(this.ridgedGram(ridge), this.#moments.slice(), this.inputs, this.outputs, least);
  }
}
