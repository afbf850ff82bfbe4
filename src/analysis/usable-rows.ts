import type { RowCounts, Table } from './types.ts';

/** Which rows count, and how many do not and why. */
export function selectRows(table: Table): { readonly isUsable: Uint8Array; readonly counts: RowCounts } {
  const isUsable = new Uint8Array(table.rowCount).fill(1);
  let failed = 0;
  let invalid = 0;
  const state = textOf(table, 'state');
  const verdict = textOf(table, 'verdict');
  for (let row = 0; row < table.rowCount; row++) {
    if (state !== undefined && state(row) !== 'done') failed++;
    else if (verdict !== undefined && verdict(row) === 'invalid') invalid++;
    else continue;
    isUsable[row] = 0;
  }
  const counts = { rows: table.rowCount, used: table.rowCount - failed - invalid, failed, invalid };
  return { isUsable, counts };
}

/** The text of a column by row; undefined where the table lacks the column or it is one of someone else's numbers. */
function textOf(table: Table, name: string): ((row: number) => string | undefined) | undefined {
  const column = table.columns.get(name);
  if (column?.kind !== 'text') return undefined;
  return (row) => column.levels[column.codes[row] as number];
}
