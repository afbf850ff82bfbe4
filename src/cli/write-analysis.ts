import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Analysis, RESULT_TABLES } from '../analysis/index.ts';
import { messageOf, StoreError } from '../errors.ts';
import { renderCsv } from '../store/index.ts';

/** Writes the tables of an analysis as CSV files, each whole or not at all; returns the paths of those that hold more than a header. */
export async function writeAnalysis(analysis: Analysis, outDir: string): Promise<readonly string[]> {
  const written: string[] = [];
  try {
    await mkdir(outDir, { recursive: true });
    for (const [name, tabulate] of Object.entries(RESULT_TABLES)) {
      const { columns, rows } = tabulate(analysis);
      const file = path.join(outDir, name);
      const listed = [...rows];
      await writeFile(`${file}.tmp`, renderCsv(columns, listed));
      await rename(`${file}.tmp`, file);
      if (listed.length > 0) written.push(file);
    }
  } catch (error) {
    // Tables are worked out as they are written; only what the file system refused is about writing.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new StoreError(
      {
        where: outDir,
        what: `the analysis cannot be written: ${messageOf(error)}`,
        hint: 'Make room, or choose another folder with --out.',
      },
      error,
    );
  }
  return written;
}
