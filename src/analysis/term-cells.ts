import type { CodedFactor, Term } from './effect-terms.ts';

/** A term with its place among the columns of a model, and among the cells of all terms. A cell is a combination of levels of its factors; cell 0 holds every row, for the mean. */
export interface PlacedTerm extends Term {
  /** First of its columns; column 0 is the mean. */
  readonly from: number;
  readonly firstCell: number;
  /** Levels by factor of the term. */
  readonly shape: readonly number[];
}

/** Gives every term its columns and cells, after those of the mean. */
export function placeTerms<T extends Term>(terms: readonly T[], factors: readonly CodedFactor[]): (T & PlacedTerm)[] {
  let [from, firstCell] = [1, 1];
  return terms.map((term) => {
    const shape = term.factors.map((factor) => (factors[factor] as CodedFactor).levels.length);
    const placed = { ...term, from, firstCell, shape };
    from += term.df;
    firstCell += cellCount(shape);
    return placed;
  });
}

function cellCount(shape: readonly number[]): number {
  return shape.reduce((product, levels) => product * levels, 1);
}

/** Cells of all terms together, and the one of the mean. */
export function countCells(terms: readonly PlacedTerm[]): number {
  return terms.reduce((sum, { shape }) => sum + cellCount(shape), 1);
}

/** The cell of each row in each term, `terms.length` to a row. */
export function codeCells(terms: readonly PlacedTerm[], factors: readonly CodedFactor[], rowCount: number): Int32Array {
  const cells = new Int32Array(rowCount * terms.length);
  for (const [index, { factors: ofTerm, firstCell, shape }] of terms.entries()) {
    const [a, b] = ofTerm.map((factor) => (factors[factor] as CodedFactor).codes) as [Int32Array, Int32Array?];
    const width = shape[1] ?? 1;
    for (let row = 0, at = index; row < rowCount; row++, at += terms.length) {
      cells[at] = firstCell + (a[row] as number) * width + (b === undefined ? 0 : (b[row] as number));
    }
  }
  return cells;
}

/** Sums of some values by cell. */
export function sumByCell(cells: Int32Array, termCount: number, cellTotal: number, values: Float64Array): Float64Array {
  const sums = new Float64Array(cellTotal);
  let all = 0;
  for (let row = 0, at = 0; row < values.length; row++) {
    const value = values[row] as number;
    all += value;
    for (const end = at + termCount; at < end; at++) {
      const cell = cells[at] as number;
      sums[cell] = (sums[cell] as number) + value;
    }
  }
  sums[0] = all;
  return sums;
}

/** How many rows share each two cells, `cellTotal` to a row of the answer. */
export function countCellPairs(
  cells: Int32Array,
  termCount: number,
  cellTotal: number,
  rowCount: number,
): Float64Array {
  const pairs = new Float64Array(cellTotal * cellTotal);
  for (let row = 0; row < rowCount; row++) {
    const start = row * termCount;
    for (let i = start; i < start + termCount; i++) {
      const base = (cells[i] as number) * cellTotal;
      for (let j = start; j <= i; j++) {
        const at = base + (cells[j] as number);
        pairs[at] = (pairs[at] as number) + 1;
      }
    }
  }
  pairs[0] = rowCount;
  for (let cell = 1; cell < cellTotal; cell++) pairs[cell * cellTotal] = pairs[cell * cellTotal + cell] as number;
  // Cells of a row ascend, so only the lower triangle was filled.
  for (let row = 0; row < cellTotal; row++) {
    for (let column = 0; column < row; column++) {
      pairs[column * cellTotal + row] = pairs[row * cellTotal + column] as number;
    }
  }
  return pairs;
}

/**
 * Sums by cell -> sums by column under sum-to-zero coding, where level k of L is a 1 in column k and the last is -1 in all L - 1 columns; those of an interaction are products.
 */
export function sumByColumn(terms: readonly PlacedTerm[], size: number, sums: Float64Array): Float64Array {
  const columns = new Float64Array(size);
  columns[0] = sums[0] as number;
  for (const { from, firstCell, shape } of terms) {
    const [height, width = 1] = shape as [number, number?];
    const at = (a: number, b: number) => sums[firstCell + a * width + b] as number;
    const [lastA, lastB] = [height - 1, width - 1];
    let column = from;
    for (let a = 0; a < lastA; a++) {
      if (shape.length === 1) columns[column++] = at(a, 0) - at(lastA, 0);
      for (let b = 0; b < lastB; b++) columns[column++] = at(a, b) - at(lastA, b) - (at(a, lastB) - at(lastA, lastB));
    }
  }
  return columns;
}

/** Coefficients by column -> what they add to every row of a cell. */
export function spreadToCells(
  terms: readonly PlacedTerm[],
  cellTotal: number,
  coefficients: Float64Array,
): Float64Array {
  const parts = new Float64Array(cellTotal);
  parts[0] = coefficients[0] as number;
  for (const { from, firstCell, shape } of terms) {
    const [height, width = 1] = shape as [number, number?];
    const add = (a: number, b: number, value: number) => {
      const cell = firstCell + a * width + b;
      parts[cell] = (parts[cell] as number) + value;
    };
    const [lastA, lastB] = [height - 1, width - 1];
    let column = from;
    for (let a = 0; a < lastA; a++) {
      for (let b = 0; b < Math.max(1, lastB); b++) {
        const value = coefficients[column++] as number;
        add(a, b, value);
        add(lastA, b, -value);
        if (shape.length === 1) continue;
        add(a, lastB, -value);
        add(lastA, lastB, value);
      }
    }
  }
  return parts;
}
