import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { messageOf } from '../errors.ts';

const CHUNK_BYTES = 2 ** 20;
const QUOTE = '"';

/**
 * Hands over every record of a CSV file, the header first; the array is used again for the next one.
 *
 * Lines are split at their commas up to the first one that holds a quote; from there csv-parse reads, which knows what quotes mean and takes some times as long. Empty lines are passed
 * over and a byte-order mark is dropped. Records end as the first one does: by LF or CR LF here, by CR alone with csv-parse.
 * @param chunkBytes - read at a time
 * @throws whatever reading gives, and an Error that names the line where quotes do not match
 */
export async function readCsvRecords(
  file: string,
  take: (cells: readonly string[]) => void,
  chunkBytes = CHUNK_BYTES,
): Promise<void> {
  const chunks = readText(file, chunkBytes);
  const cells: string[] = [];
  let end: string | undefined;
  let text = '';
  let lines = 0;
  const takeLine = (line: string) => {
    lines++;
    if (line === '') return;
    splitCells(line, cells);
    take(cells);
  };
  for await (const chunk of chunks) {
    text += chunk;
    end ??= /\r\n|\n|\r(?=[^\n])/.exec(text)?.[0];
    if (end === undefined && !text.includes(QUOTE)) continue;
    const quote = text.indexOf(QUOTE);
    let start = 0;
    if (end !== '\r' && end !== undefined) {
      for (let stop = text.indexOf(end); stop >= 0 && (quote < 0 || stop < quote); stop = text.indexOf(end, start)) {
        takeLine(text.slice(start, stop));
        start = stop + end.length;
      }
    }
    text = text.slice(start);
    if (quote >= 0 || end === '\r') {
      // Not returned but awaited: to leave the loop closes the chunks.
      await parseRest(text, chunks, lines, end, take);
      return;
    }
  }
  // Where no record end was found, the last character may be the CR of one.
  if (text !== '') takeLine(end === undefined ? text.replace(/\r$/, '') : text);
}

/** The text of a file chunk by chunk, without its byte-order mark. */
async function* readText(file: string, chunkBytes: number): AsyncGenerator<string, void, undefined> {
  let isFirst = true;
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: chunkBytes });
  for await (const chunk of stream as AsyncIterable<string>) {
    yield isFirst && chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk;
    isFirst = false;
  }
}

function splitCells(line: string, cells: string[]): void {
  let count = 0;
  let start = 0;
  for (let comma = line.indexOf(','); comma >= 0; comma = line.indexOf(',', start)) {
    cells[count++] = line.slice(start, comma);
    start = comma + 1;
  }
  cells[count++] = line.slice(start);
  cells.length = count;
}

/** Reads on with csv-parse, from the start of a record. */
async function parseRest(
  text: string,
  chunks: AsyncIterable<string>,
  linesBefore: number,
  recordEnd: string | undefined,
  take: (cells: readonly string[]) => void,
): Promise<void> {
  const rest = async function* () {
    yield text;
    yield* chunks;
  };
  const parser = parse({
    relax_column_count: true,
    skip_empty_lines: true,
    ...(recordEnd === undefined ? {} : { record_delimiter: recordEnd }),
  });
  const records = Readable.from(rest()).pipe(parser);
  try {
    for await (const cells of records as AsyncIterable<string[]>) take(cells);
  } catch (error) {
    // It counts lines from where it began.
    const message = messageOf(error).replace(/at line (\d+)/, (_, line) => `at line ${Number(line) + linesBefore}`);
    throw error instanceof Error && 'code' in error && `${error.code}`.startsWith('CSV_') ? new Error(message) : error;
  }
}
