import { stringify } from 'csv-stringify/sync';
import type { Cell } from './types.ts';

/**
 * A table as CSV (RFC 4180, but with plain newlines): a header line, then a line a row. A cell that is undefined is empty.
 *
 * Numbers are written so that reading them back gives the same number.
 * @param rows - cells in the order of `columns`
 */
export function renderCsv(columns: readonly string[], rows: Iterable<readonly Cell[]>): string {
  return stringify([columns, ...rows] as Cell[][], { cast: { boolean: String, number: String } });
}
