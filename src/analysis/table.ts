import { AnalysisError, type Problem } from '../errors.ts';
import type { Column, Table } from './types.ts';

/** Cells as a CSV or a record holds them. */
export type CellValue = string | number | boolean | null | undefined;

/** Takes a table row by row, so that a file of any length can be streamed into columns. */
export interface TableBuilder {
  /** Adds one row, cells in the order of the columns. Cells that are missing at the end are empty; surplus cells are an error. */
  add(cells: readonly CellValue[]): void;
  /** The finished table; the builder must not be used after it. */
  finish(): Table;
}

/**
 * A builder for a table with these columns.
 *
 * A column is kept as numbers as long as every cell reads as a plain decimal number, and as text otherwise.
 * @param textNames - columns to keep as text whatever they hold; name the factors, or the versions "1.1" and "1.10" become one level
 * @throws AnalysisError if a name is empty or appears twice
 */
export function createTableBuilder(names: readonly string[], textNames: readonly string[] = []): TableBuilder {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === '') {
      problems.push({ where: `column ${index + 1}`, what: 'a column has no name', hint: 'Name it in the first line.' });
    } else if (seen.has(name)) {
      problems.push({
        where: `column ${index + 1}`,
        what: `column "${name}" appears twice`,
        hint: 'Rename one of them, so that it is clear which is meant.',
      });
    }
    seen.add(name);
  }
  if (problems.length > 0) throw new AnalysisError(problems);

  const columns = names.map((name) => new ColumnBuilder(textNames.includes(name)));
  let rowCount = 0;
  return {
    add(cells) {
      rowCount++;
      if (cells.length > columns.length) {
        throw new AnalysisError({
          where: `row ${rowCount}`,
          what: `the row has ${cells.length} cells, the table has ${columns.length} columns`,
          hint: 'Check the delimiter and the quotes of that line.',
        });
      }
      for (let index = 0; index < columns.length; index++) columns[index]?.push(cells[index]);
    },
    finish: () => ({
      rowCount,
      names: [...names],
      columns: new Map(names.map((name, index) => [name, (columns[index] as ColumnBuilder).finish()])),
    }),
  };
}

/**
 * The table that holds these records, one a row.
 *
 * Its columns are every key of any record in order of first appearance. A key that a record lacks is an empty cell.
 * @param textNames - as in `createTableBuilder`
 */
export function tableFromRecords(
  records: readonly Readonly<Record<string, CellValue>>[],
  textNames: readonly string[] = [],
): Table {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const builder = createTableBuilder(names, textNames);
  for (const record of records) builder.add(names.map((name) => record[name]));
  return builder.finish();
}

const FIRST_CAPACITY = 64;

/**
 * Growing storage of one column: numbers until the first cell that is not one, then dictionary-coded text.
 *
 * Numbers that were read before that cell become text in their shortest spelling ("1.50" turns into "1.5").
 */
class ColumnBuilder {
  #count = 0;
  #numbers: Float64Array | undefined;
  #codes: Int32Array | undefined;
  readonly #levels: string[] = [];
  readonly #codeOf = new Map<string, number>();

  constructor(isText: boolean) {
    if (isText) this.#codes = new Int32Array(FIRST_CAPACITY);
    else this.#numbers = new Float64Array(FIRST_CAPACITY);
  }

  push(cell: CellValue): void {
    if (this.#numbers !== undefined) {
      const value = readNumber(cell);
      if (value !== undefined) {
        if (this.#count === this.#numbers.length) this.#numbers = grow(this.#numbers, Float64Array);
        this.#numbers[this.#count++] = value;
        return;
      }
      this.#turnIntoText(this.#numbers);
    }
    this.#pushText(isEmpty(cell) ? undefined : String(cell));
  }

  finish(): Column {
    return this.#numbers === undefined
      ? { kind: 'text', codes: (this.#codes as Int32Array).subarray(0, this.#count), levels: this.#levels }
      : { kind: 'number', values: this.#numbers.subarray(0, this.#count) };
  }

  #pushText(text: string | undefined): void {
    let codes = this.#codes as Int32Array;
    if (this.#count === codes.length) codes = this.#codes = grow(codes, Int32Array);
    codes[this.#count++] = text === undefined ? -1 : this.#code(text);
  }

  #code(text: string): number {
    const known = this.#codeOf.get(text);
    if (known !== undefined) return known;
    const code = this.#levels.length;
    // A cell may be a slice of a longer text, all of which it would keep in memory.
    const level = [...text].join('');
    this.#codeOf.set(level, code);
    this.#levels.push(level);
    return code;
  }

  #turnIntoText(numbers: Float64Array): void {
    const count = this.#count;
    this.#numbers = undefined;
    this.#codes = new Int32Array(numbers.length);
    this.#count = 0;
    for (let row = 0; row < count; row++) {
      const value = numbers[row] as number;
      this.#pushText(Number.isNaN(value) ? undefined : String(value));
    }
  }
}

function grow<T extends Float64Array | Int32Array>(array: T, type: new (length: number) => T): T {
  const larger = new type(array.length * 2);
  larger.set(array);
  return larger;
}

function isEmpty(cell: CellValue): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '');
}

/** The number a cell holds, NaN for an empty cell, undefined for anything else, infinite values among it. */
function readNumber(cell: CellValue): number | undefined {
  if (typeof cell === 'string') {
    const common = readCommonNumber(cell);
    if (common !== undefined) return common;
  }
  if (isEmpty(cell)) return Number.NaN;
  if (typeof cell === 'boolean') return undefined;
  const value = typeof cell === 'number' || PLAIN_NUMBER.test(cell as string) ? Number(cell) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

// No leading zeros and at most 15 digits before the point: "007" and long identifiers are names, and a number would lose them.
const PLAIN_NUMBER = /^\s*[+-]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*$/;

const [MINUS, POINT, ZERO, NINE] = [45, 46, 48, 57];
/** Up to here every whole number, and every power of ten it may be divided by, is held exactly. */
const MOST_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, power) => 10 ** power);

/**
 * The number in the form that most cells have, `12`, `-3.25` or `0.5` with at most 15 digits; undefined for any other text, number or not.
 *
 * Reads about three times as fast as `Number`, and the same: one division of two numbers held exactly rounds once.
 * Source: Clinger (1990), "How to read floating point numbers accurately", PLDI.
 */
function readCommonNumber(text: string): number | undefined {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  const first = text.charCodeAt(start);
  if (first === ZERO ? text.charCodeAt(start + 1) !== POINT : !(first > ZERO && first <= NINE)) return undefined;
  let digits = 0;
  let point = -1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) digits = digits * 10 + (code - ZERO);
    else if (code === POINT && point < 0) point = at;
    else return undefined;
  }
  if (text.length - start - (point < 0 ? 0 : 1) > MOST_DIGITS) return undefined;
  const value = point < 0 ? digits : digits / (POWERS_OF_TEN[text.length - point - 1] as number);
  return start === 0 ? value : -value;
}
