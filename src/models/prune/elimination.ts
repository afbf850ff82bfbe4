import { solveSymmetric } from './symmetric-solve.ts';

/** A layer that reads channels, and what its outputs lose as inputs go while all its other weights are fitted anew. */
export class ReaderElimination {
  readonly #inputs: number;
  readonly #outputs: number;
  /** Inverse of the inputs' Gram matrix, of those that are left. */
  readonly #inverse: Float64Array;
  readonly #weights: Float64Array;
  readonly #energy: number;

  /**
   * @param gram - X'X over samples of its inputs with a ridge on its diagonal, inputs x inputs, row-major; the last input is the constant 1
   * @param weights - inputs x outputs, row-major
   */
  constructor(gram: Float64Array, weights: Float64Array, outputs: number) {
    this.#outputs = outputs;
    this.#inputs = weights.length / outputs;
    this.#inverse = invert(gram, this.#inputs);
    this.#weights = weights.slice();
    this.#energy = centredEnergy(gram, weights, this.#inputs, outputs) || 1;
  }

  /**
   * Squared error of the outputs that is left when these inputs go and all others are fitted to make up for it, as a share of the outputs' variance.
   *
   * Source: Hassibi, Stork (1993), "Second order derivatives for network pruning: optimal brain surgeon", for a block of weights: tr(W' (P)^-1 W) with P the block of the inverse.
   */
  errorWithout(inputs: readonly number[]): number {
    const solved = this.#solve(inputs);
    let error = 0;
    for (const [row, input] of inputs.entries()) {
      for (let output = 0; output < this.#outputs; output++) {
        error += at(this.#weights, input * this.#outputs + output) * at(solved, row * this.#outputs + output);
      }
    }
    return error / this.#energy;
  }

  /** Takes these inputs out for good. */
  remove(inputs: readonly number[]): void {
    const [n, m] = [this.#inputs, this.#outputs];
    const solved = this.#solve(inputs);
    const columns = Float64Array.from({ length: inputs.length * n }, (_, index) =>
      at(this.#inverse, (inputs[Math.floor(index / n)] as number) * n + (index % n)),
    );
    const gains = solveSymmetric(this.#block(inputs), columns.slice(), inputs.length, n);
    for (let row = 0; row < n; row++) {
      for (let k = 0; k < inputs.length; k++) {
        const factor = at(columns, k * n + row);
        if (factor === 0) continue;
        for (let output = 0; output < m; output++) {
          this.#weights[row * m + output] = at(this.#weights, row * m + output) - factor * at(solved, k * m + output);
        }
        for (let column = 0; column < n; column++) {
          this.#inverse[row * n + column] = at(this.#inverse, row * n + column) - factor * at(gains, k * n + column);
        }
      }
    }
    for (const input of inputs) this.#weights.fill(0, input * m, (input + 1) * m);
  }

  /** Block^-1 W of some inputs. */
  #solve(inputs: readonly number[]): Float64Array {
    const m = this.#outputs;
    const right = Float64Array.from({ length: inputs.length * m }, (_, index) =>
      at(this.#weights, (inputs[Math.floor(index / m)] as number) * m + (index % m)),
    );
    return solveSymmetric(this.#block(inputs), right, inputs.length, m);
  }

  #block(inputs: readonly number[]): Float64Array {
    return Float64Array.from({ length: inputs.length ** 2 }, (_, index) => {
      const [row, column] = [Math.floor(index / inputs.length), index % inputs.length];
      return at(this.#inverse, (inputs[row] as number) * this.#inputs + (inputs[column] as number));
    });
  }
}

/** Sum of the variances of the outputs, times the number of samples. */
function centredEnergy(gram: Float64Array, weights: Float64Array, n: number, m: number): number {
  const last = n - 1;
  const count = at(gram, last * n + last) || 1;
  let energy = 0;
  for (let row = 0; row < last; row++) {
    for (let column = 0; column < last; column++) {
      const covariance = at(gram, row * n + column) - (at(gram, row * n + last) * at(gram, column * n + last)) / count;
      let product = 0;
      for (let output = 0; output < m; output++)
        product += at(weights, row * m + output) * at(weights, column * m + output);
      energy += covariance * product;
    }
  }
  return energy;
}

function invert(gram: Float64Array, n: number): Float64Array {
  const identity = new Float64Array(n * n);
  for (let index = 0; index < n; index++) identity[index * n + index] = 1;
  return solveSymmetric(gram.slice(), identity, n, n);
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
