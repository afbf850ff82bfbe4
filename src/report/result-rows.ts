import type { ReportPart } from './types.ts';

type Value = string | number | boolean | undefined;

/** One row of a table of the analysis by column name. */
export type ResultRow = Readonly<Record<string, Value>>;

/** The rows of a table of the analysis that satisfy a condition; undefined where there is no such table. */
export function resultRows(
  { tables }: ReportPart,
  file: string,
  isWanted: (row: ResultRow) => boolean = () => true,
): ResultRow[] | undefined {
  const table = tables.get(file);
  if (table === undefined) return undefined;
  const found: ResultRow[] = [];
  for (const cells of table.rows) {
    const row = Object.fromEntries(table.columns.map((column, index) => [column, cells[index]]));
    if (isWanted(row)) found.push(row);
  }
  return found;
}

/** A number of a row; NaN where the cell is empty. */
export function numberIn(row: ResultRow, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : Number.NaN;
}
