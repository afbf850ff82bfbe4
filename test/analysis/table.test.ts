import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTableBuilder, tableFromRecords } from '../../src/analysis/index.ts';

test('a column of plain decimal numbers is numbers, and empty cells are NaN', () => {
  const table = tableFromRecords([{ x: '1.5' }, { x: '' }, { x: null }, {}, { x: ' -2e3 ' }, { x: 7 }]);
  expect(table.columns.get('x')).toEqual({
    kind: 'number',
    values: Float64Array.of(1.5, Number.NaN, Number.NaN, Number.NaN, -2000, 7),
  });
});

test.each(['abc', '007', '1e999', 'Infinity', '0x10', '12345678901234567890', 'NaN', Number.POSITIVE_INFINITY, true])(
  'a cell of %s makes its column text, earlier numbers included',
  (cell) => {
    const column = tableFromRecords([{ x: 4 }, { x: '' }, { x: cell }]).columns.get('x');
    expect(column).toEqual({ kind: 'text', codes: Int32Array.of(0, -1, 1), levels: ['4', String(cell)] });
  },
);

test('columns are the keys of all records in order of first appearance', () => {
  const table = tableFromRecords([{ b: 1 }, { a: 2, b: 3 }]);
  expect(table.names).toEqual(['b', 'a']);
  expect(table.rowCount).toBe(2);
});

test('more rows than the first allocation keep their values', () => {
  const builder = createTableBuilder(['n', 't']);
  for (let row = 0; row < 1000; row++) builder.add([row, `level${row % 3}`]);
  const table = builder.finish();
  expect(table.columns.get('n')).toEqual({
    kind: 'number',
    values: Float64Array.from({ length: 1000 }, (_, row) => row),
  });
  expect(table.columns.get('t')).toMatchObject({ levels: ['level0', 'level1', 'level2'] });
});

test('duplicate and empty column names are refused together', () => {
  expect(() => createTableBuilder(['a', '', 'a'])).toThrowErrorMatchingInlineSnapshot(`
    [AnalysisError: column 2  a column has no name
      Name it in the first line.
    column 3  column "a" appears twice
      Rename one of them, so that it is clear which is meant.]
  `);
});

test('a row longer than the header is refused', () => {
  expect(() => createTableBuilder(['a']).add([1, 2])).toThrowErrorMatchingInlineSnapshot(`
    [AnalysisError: row 1  the row has 2 cells, the table has 1 columns
      Check the delimiter and the quotes of that line.]
  `);
});

test.each([
  ['0', 0],
  ['0.25', 0.25],
  ['10', 10],
  ['5.', 5],
  ['.5', 0.5],
  ['+3', 3],
  ['-0.1', -0.1],
  ['1234567.123456', 1234567.123456],
])('"%s" is the number %d', (cell, value) => {
  expect(tableFromRecords([{ x: cell }]).columns.get('x')).toEqual({ kind: 'number', values: Float64Array.of(value) });
});

test.each(['.', '-', '1.2.3', '00.5', '1e', '1,5', '١'])('"%s" is text', (cell) => {
  expect(tableFromRecords([{ x: cell }]).columns.get('x')).toMatchObject({ kind: 'text', levels: [cell] });
});

test('columns named as text keep the spelling of their cells', () => {
  const table = tableFromRecords(
    [
      { version: '1.1', x: 1 },
      { version: '1.10', x: 2 },
      { version: '', x: 3 },
    ],
    ['version'],
  );
  expect(table.columns.get('version')).toEqual({
    kind: 'text',
    codes: Int32Array.of(0, 1, -1),
    levels: ['1.1', '1.10'],
  });
  expect(table.columns.get('x')?.kind).toBe('number');
});

test('a decimal number is read as Number reads it, to the last bit', () => {
  const digits = (max: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${max - 1}}$`));
  const decimal = fc.tuple(fc.constantFrom('', '-'), digits(9), fc.stringMatching(/^[0-9]{0,9}$/), fc.boolean());
  fc.assert(
    fc.property(decimal, ([sign, whole, part, isBelowOne]) => {
      const text = `${sign}${isBelowOne ? '0' : whole}.${part}`;
      expect(tableFromRecords([{ x: text }]).columns.get('x')).toEqual({
        kind: 'number',
        values: Float64Array.of(Number(text)),
      });
    }),
    { numRuns: 2000 },
  );
});
