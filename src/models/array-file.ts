import { readIdx } from './idx.ts';
import { readNpy } from './npy.ts';

/** Numbers of any rank, row-major. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Reads a file of numbers: NumPy's format where its name ends in .npy, else IDX.
 *
 * @throws ModelError if it cannot be read, or is not of that format
 */
export function readArray(file: string): NumberArray {
  return /\.npy$/i.test(file) ? readNpy(file) : readIdx(file);
}
