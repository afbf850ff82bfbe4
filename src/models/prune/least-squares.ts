import { factorize, solveFactored } from './symmetric-solve.ts';

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
  /** Cholesky's factor of X'X with a ridge, once it was solved with. */
  #factor: { readonly ridge: number; readonly values: Float64Array } | undefined;
  /** Whether rows are those that X'X was made of. */
  readonly #isAgain: boolean;

  /** @param before - equations of the same rows and other outputs, whose X'X is taken; the rows given to this one must be those again */
  constructor(inputs: number, outputs: number, before?: LeastSquares) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.#isAgain = before !== undefined;
    this.#gram = before === undefined ? new Float64Array(inputs * inputs) : before.#gram;
    if (before !== undefined) this.#factor = before.#factor;
    this.#moments = new Float64Array(inputs * outputs);
  }

  add(x: ArrayLike<number>, y: ArrayLike<number>): void {
    if (!this.#isAgain) this.#addProducts(x);
    const { inputs, outputs } = this;
    for (let row = 0; row < inputs; row++) {
      const value = x[row] ?? 0;
      if (value === 0) continue;
      const momentRow = row * outputs;
      for (let column = 0; column < outputs; column++) {
        this.#moments[momentRow + column] =
          (this.#moments[momentRow + column] as number) + value * (y[column] as number);
      }
    }
  }

  /** As `add` for each of many rows of one output each, in a fraction of the time: the sums are read and written once for four of them. */
  addMany(rows: readonly Float64Array[], targets: readonly number[]): void {
    this.#factor = undefined;
    const n = this.inputs;
    const [gram, moments] = [this.#gram, this.#moments];
    const none = new Float64Array(n);
    for (let first = 0; first < rows.length; first += 4) {
      const [a = none, b = none, c = none, d = none] = rows.slice(first, first + 4);
      const [ya = 0, yb = 0, yc = 0, yd = 0] = targets.slice(first, first + 4);
      for (let row = 0; row < n; row++) {
        const [ra, rb, rc, rd] = [a[row] as number, b[row] as number, c[row] as number, d[row] as number];
        if (ra === 0 && rb === 0 && rc === 0 && rd === 0) continue;
        moments[row] = (moments[row] as number) + ra * ya + rb * yb + rc * yc + rd * yd;
        const start = row * n;
        for (let column = 0; column <= row; column++) {
          const sum =
            ra * (a[column] as number) +
            rb * (b[column] as number) +
            rc * (c[column] as number) +
            rd * (d[column] as number);
          gram[start + column] = (gram[start + column] as number) + sum;
        }
      }
    }
  }

  #addProducts(x: ArrayLike<number>): void {
    this.#factor = undefined;
    for (let row = 0; row < this.inputs; row++) {
      const value = x[row] ?? 0;
      // Behind a ReLU half of the inputs are 0.
      if (value === 0) continue;
      const gramRow = row * this.inputs;
      for (let column = 0; column <= row; column++) {
        this.#gram[gramRow + column] = (this.#gram[gramRow + column] as number) + value * (x[column] as number);
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
    const { inputs, outputs } = this;
    if (this.#factor?.ridge !== ridge) {
      const values = factorize(this.ridgedGram(ridge), inputs, 1e-6 * this.#ridgeOf(ridge));
      this.#factor = { ridge, values };
    }
    return solveFactored(this.#factor.values, this.#moments.slice(), inputs, outputs);
  }
}
