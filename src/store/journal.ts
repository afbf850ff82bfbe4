import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Problem, StoreError } from '../errors.ts';
import { fileError, syncFolder } from './file-system.ts';
import { decodeRecord, encodeRecord, nameOf } from './record-codec.ts';
import type { JournalRecord } from './types.ts';

const NEWLINE = 10;

/** What the last bytes of a journal are, where a line end is missing. */
type Tail =
  | { readonly kind: 'whole' }
  /** A record whose line end was not written. */
  | { readonly kind: 'unended' }
  /** The beginning of a line: the writer was killed, or the power went, while it was written. */
  | { readonly kind: 'torn'; readonly startByte: number; readonly warning: Problem };

/**
 * Every record of a journal, in the order they were written.
 *
 * A torn last line, which a killed writer leaves behind, is left out and told in `warnings`; what it was to hold was never reported as recorded.
 * @throws StoreError for any other line that cannot be read, with file:line and what to do
 */
export async function readJournal(path: string): Promise<{ records: JournalRecord[]; warnings: Problem[] }> {
  const records: JournalRecord[] = [];
  const tail = await forEachRecord(path, (record) => records.push(record));
  return { records, warnings: tail.kind === 'torn' ? [tail.warning] : [] };
}

/** Calls `onRecord` for each record in order, holding one line in memory at a time. */
export async function forEachRecord(path: string, onRecord: (record: JournalRecord) => void): Promise<Tail> {
  let tail: Tail = { kind: 'whole' };
  for await (const line of readLines(path)) {
    if (line.text.trim() === '') continue;
    const where = `${path}:${line.number}`;
    if (line.isEnded) {
      onRecord(decodeRecord(line.text, where));
      continue;
    }
    try {
      onRecord(decodeRecord(line.text, where));
      tail = { kind: 'unended' };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      tail = { kind: 'torn', startByte: line.startByte, warning: tornLine(where, line.text.length) };
    }
  }
  return tail;
}

/** Appends to a journal; one writer at a time. */
export interface JournalWriter extends AsyncDisposable {
  /** Resolves when the record is on disk. @throws StoreError where it could not be written; the journal then ends with the record before */
  append(record: JournalRecord): Promise<void>;
}

/**
 * Opens a journal for appending and makes it if there is none.
 *
 * A torn last line is cut off and a missing line end is added, so that the next record starts on a line of its own.
 * @param onRecord - called for each record found
 */
export async function openJournal(
  path: string,
  onRecord: (record: JournalRecord) => void,
): Promise<{ writer: JournalWriter; warnings: readonly Problem[] }> {
  const file = await openForAppend(path);
  try {
    const tail = await forEachRecord(path, onRecord);
    await mendTail(file, path, tail);
    return {
      writer: journalWriter(path, file, (await file.stat()).size),
      warnings: tail.kind === 'torn' ? [tail.warning] : [],
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function journalWriter(path: string, file: FileHandle, initialSize: number): JournalWriter {
  let size = initialSize;
  /** Set when a half-written line could not be taken back: appending would glue the next record to it. */
  let broken: StoreError | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const write = async (record: JournalRecord) => {
    if (broken !== undefined) throw broken;
    const line = Buffer.from(`${encodeRecord(record)}\n`);
    try {
      await file.appendFile(line);
      await file.datasync();
      size += line.length;
    } catch (error) {
      const refused = fileError(path, `record ${nameOf(record)}`, error);
      await file.truncate(size).catch(() => {
        broken = refused;
      });
      throw refused;
    }
  };

  return {
    append: (record) => {
      const written = last.then(() => write(record));
      last = written.catch(() => undefined);
      return written;
    },
    [Symbol.asyncDispose]: async () => {
      await last;
      await file.close();
    },
  };
}

async function openForAppend(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'a');
    await syncFolder(dirname(path));
    return file;
  } catch (error) {
    throw fileError(path, 'open this file', error);
  }
}

async function mendTail(file: FileHandle, path: string, tail: Tail): Promise<void> {
  try {
    if (tail.kind === 'torn') await file.truncate(tail.startByte);
    if (tail.kind === 'unended') await file.appendFile('\n');
  } catch (error) {
    throw fileError(path, 'mend the last line of this file', error);
  }
}

function tornLine(where: string, characters: number): Problem {
  return {
    where,
    what: `the last line is torn (${characters} characters without an end): dse was stopped while it wrote`,
    hint: 'Nothing is lost but that one line; its trial counts as not run. The next `dse run` removes the line and repeats the trial.',
  };
}

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  readonly startByte: number;
  /** False for a last line without a line end. */
  readonly isEnded: boolean;
}

async function* readLines(path: string): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let startByte = 0;
  let number = 1;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE)) {
        yield { text: bytes.toString('utf8', 0, end), number, startByte, isEnded: true };
        bytes = bytes.subarray(end + 1);
        startByte += end + 1;
        number++;
      }
      rest = bytes;
    }
  } catch (error) {
    throw error instanceof StoreError ? error : fileError(path, 'read this file', error);
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), number, startByte, isEnded: false };
}
