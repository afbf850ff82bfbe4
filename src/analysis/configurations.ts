import { describe } from './moments.ts';
import type { Column, Configurations, Table } from './types.ts';

/** Level names of a column and, per row, which of them it holds. An empty cell is a level of its own, named "". */
export function codeLevels(column: Column): { readonly levels: readonly string[]; readonly codes: Int32Array } {
  if (column.kind === 'text') {
    if (!column.codes.includes(-1)) return { levels: column.levels, codes: column.codes };
    const empty = column.levels.length;
    return { levels: [...column.levels, ''], codes: column.codes.map((code) => (code < 0 ? empty : code)) };
  }
  const codeOf = new Map<number, number>();
  const codes = new Int32Array(column.values.length);
  for (let row = 0; row < codes.length; row++) {
    const value = column.values[row] as number;
    let code = codeOf.get(value);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(value, code);
    }
    codes[row] = code;
  }
  return { levels: [...codeOf.keys()].map((value) => (Number.isNaN(value) ? '' : String(value))), codes };
}

/**
 * Rows grouped by their factor levels.
 *
 * @param isUsable - per row, 1 where its responses count. A configuration without usable rows is still listed, with none.
 */
export function groupConfigurations(table: Table, factors: readonly string[], isUsable: Uint8Array): Configurations {
  const coded = factors.map((factor) => codeLevels(table.columns.get(factor) as Column));
  const { ids, count } = numberCombinations(coded, table.rowCount);
  const firstRow = new Int32Array(count).fill(-1);
  const offsets = new Int32Array(count + 1);
  for (let row = 0; row < table.rowCount; row++) {
    const id = ids[row] as number;
    if (firstRow[id] === -1) firstRow[id] = row;
    offsets[id + 1] = (offsets[id + 1] as number) + (isUsable[row] as number);
  }
  for (let id = 0; id < count; id++) offsets[id + 1] = (offsets[id + 1] as number) + (offsets[id] as number);
  const next = offsets.slice();
  const rows = new Int32Array(offsets[count] as number);
  for (let row = 0; row < table.rowCount; row++) {
    if (isUsable[row] === 0) continue;
    const id = ids[row] as number;
    const at = next[id] as number;
    rows[at] = row;
    next[id] = at + 1;
  }
  return {
    count,
    factors,
    levels: coded.map(({ levels }) => levels),
    codes: coded.map(({ codes }) => firstRow.map((row) => codes[row] as number)),
    offsets,
    rows,
  };
}

/** The same number for rows that agree in every factor, counted from 0 in order of first appearance. */
export function numberCombinations(
  factors: readonly { readonly levels: readonly string[]; readonly codes: Int32Array }[],
  rowCount: number,
): { readonly ids: Int32Array; readonly count: number } {
  const keys = new Float64Array(rowCount);
  let keyCount = Math.min(1, rowCount);
  for (const { levels, codes } of factors) {
    // Renumbered before the product of level counts could outgrow a number, or an array of it the table.
    if (keyCount * levels.length > 2 * rowCount) {
      const { ids, count } = numberKeys(keys, keyCount);
      keys.set(ids);
      keyCount = count;
    }
    const width = levels.length;
    for (let row = 0; row < rowCount; row++) keys[row] = (keys[row] as number) * width + (codes[row] as number);
    keyCount *= width;
  }
  return numberKeys(keys, keyCount);
}

function numberKeys(keys: Float64Array, keyCount: number) {
  const numberOf = createNumbering(keyCount);
  const ids = new Int32Array(keys.length);
  for (let row = 0; row < ids.length; row++) ids[row] = numberOf.of(keys[row] as number);
  return { ids, count: numberOf.count() };
}

/** An array of up to this many numbers (64 MB) is worth its speed over a map. */
const LARGEST_DIRECT = 2 ** 24;

/** Numbers keys below `keyCount` in order of first appearance. */
function createNumbering(keyCount: number): { of(key: number): number; count(): number } {
  let count = 0;
  if (keyCount <= LARGEST_DIRECT) {
    // One more than the number, so that the zeros of a new array say that a key has none yet.
    const numbers = new Int32Array(keyCount);
    return {
      of(key) {
        const known = numbers[key] as number;
        if (known > 0) return known - 1;
        numbers[key] = ++count;
        return count - 1;
      },
      count: () => count,
    };
  }
  const numbers = new Map<number, number>();
  return {
    of(key) {
      let number = numbers.get(key);
      if (number === undefined) {
        number = count++;
        numbers.set(key, number);
      }
      return number;
    },
    count: () => count,
  };
}

/** Mean over the usable replicates of each configuration that have the value; NaN where none has. */
export function meanByConfiguration(values: Float64Array, { count, offsets, rows }: Configurations): Float64Array {
  const means = new Float64Array(count);
  for (let configuration = 0; configuration < count; configuration++) {
    const from = offsets[configuration] as number;
    const to = offsets[configuration + 1] as number;
    // A table of a million configurations mostly has one row of each, and allocating for those would take most of the time.
    means[configuration] =
      to - from === 1
        ? (values[rows[from] as number] as number)
        : describe(Float64Array.from(rows.subarray(from, to), (row) => values[row] as number)).mean;
  }
  return means;
}
