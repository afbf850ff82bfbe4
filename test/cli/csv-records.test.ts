import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCsvRecords } from '../../src/cli/csv-records.ts';
import { scratchFolder } from './dse.ts';

async function readAll(file: string, chunkBytes?: number): Promise<string[][]> {
  const records: string[][] = [];
  await readCsvRecords(file, (cells) => void records.push([...cells]), chunkBytes);
  return records;
}

test('records are those of csv-parse, wherever the file is cut and from whichever line on it has quotes', async () => {
  await using scratch = await scratchFolder();
  const cell = fc.oneof(
    fc.constantFrom('', '1', '-2.5', 'a b', 'é', ' x'),
    fc.constantFrom('a,b', 'say "so"', 'two\nlines', '"'),
  );
  const table = fc.record({
    header: fc.array(fc.constantFrom('a', 'größe', 'a name'), { minLength: 2, maxLength: 4 }),
    plain: fc.array(fc.array(fc.constantFrom('', '0', '12.25', 'é'), { minLength: 2, maxLength: 4 }), { maxLength: 5 }),
    quoted: fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
    end: fc.constantFrom('\n', '\r\n', '\r'),
    hasMark: fc.boolean(),
    hasLastEnd: fc.boolean(),
    chunkBytes: fc.integer({ min: 1, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(table, async ({ header, plain, quoted, end, hasMark, hasLastEnd, chunkBytes }) => {
      const written = stringify([header, ...plain, ...quoted], { record_delimiter: end });
      const text = hasLastEnd ? written : written.slice(0, -end.length);
      const file = await scratch.file('t.csv', `${hasMark ? '\ufeff' : ''}${text}`);
      const options = { relax_column_count: true, skip_empty_lines: true, record_delimiter: end };
      expect(await readAll(file, chunkBytes)).toEqual(parse(text, options));
    }),
    { numRuns: 150 },
  );
});

test('a file of many chunks with a quote in its first is read to its end', async () => {
  await using scratch = await scratchFolder();
  const file = await scratch.file('t.csv', `a,b\n"x, y",1\n${'z,2\n'.repeat(1000)}`);
  const records = await readAll(file, 64);
  expect(records.length).toBe(1002);
  expect(records.at(-1)).toEqual(['z', '2']);
});
