import { createTableBuilder, type Table, type TableBuilder } from '../analysis/index.ts';
import { AnalysisError, DseError, messageOf } from '../errors.ts';
import { readCsvRecords } from './csv-records.ts';

/**
 * Reads a CSV file (header line first, comma-separated, byte-order mark allowed) as a stream, so that its size does not matter.
 *
 * @param factors - columns whose values are names, kept as they are spelt
 * @throws AnalysisError where the file cannot be read or is not such a table
 */
export async function readCsvTable(file: string, factors: readonly string[]): Promise<Table> {
  let builder: TableBuilder | undefined;
  try {
    await readCsvRecords(file, (cells) => {
      if (builder !== undefined) return builder.add(cells);
      refuseOtherDelimiter(cells, file);
      builder = createTableBuilder(
        cells.map((name) => name.trim()),
        factors,
      );
    });
  } catch (error) {
    if (error instanceof DseError) throw error;
    throw new AnalysisError(
      {
        where: file,
        what: `the table cannot be read: ${messageOf(error)}`,
        hint: 'Give a CSV file with a header line, cells separated by commas.',
      },
      error,
    );
  }
  if (builder === undefined) {
    throw new AnalysisError({
      where: file,
      what: 'the table is empty',
      hint: 'Give a CSV file with a header line and at least one row.',
    });
  }
  return builder.finish();
}

/** A header of one cell that holds another delimiter was hardly meant as one name. */
function refuseOtherDelimiter([header = '', ...others]: readonly string[], file: string): void {
  const found = [';', '\t', '|'].find((delimiter) => header.includes(delimiter));
  if (others.length > 0 || found === undefined) return;
  throw new AnalysisError({
    where: file,
    what: `the header has no comma, but ${header.split(found).length} names separated by ${JSON.stringify(found)}`,
    hint: 'Write the table with commas between the cells.',
  });
}
