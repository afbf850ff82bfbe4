import { expect, test } from 'vitest';
import { readCsvTable } from '../../src/cli/read-table.ts';
import { scratchFolder } from './dse.ts';

async function read(text: string) {
  await using scratch = await scratchFolder();
  return await readCsvTable(await scratch.file('table.csv', text), ['a']);
}

test.each([
  ['a;b;c\n1;2;3\n', 'the header has no comma, but 3 names separated by ";"'],
  ['a\tb\n1\t2\n', 'the header has no comma, but 2 names separated by "\\t"'],
  ['', 'the table is empty'],
  ['a,b\n1,2,3\n', 'row 1  the row has 3 cells, the table has 2 columns'],
  ['a,a\n1,2\n', 'column "a" appears twice'],
  ['a,\n1,2\n', 'a column has no name'],
  ['a,b\n"1,2\n', 'the table cannot be read'],
  ['a,b\n1,2\n\n"3"4,5\n', 'at line 4'],
])('the table %j is refused with a sentence: %s', async (text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test('a byte-order mark and empty lines are passed over', async () => {
  const table = await read('\uFEFFa,b\n1,2\n\n3,4\n');
  expect(table.names).toEqual(['a', 'b']);
  expect(table.rowCount).toBe(2);
});
