import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Analysis,
  type ResultTable,
  tabulateCorrelations,
  tabulateFronts,
  tabulateSummaries,
} from '../analysis/index.ts';
import { messageOf, StoreError } from '../errors.ts';
import { renderCsv } from '../store/index.ts';

/** Writes the tables of an analysis as CSV files, each whole or not at all; returns their paths. */
export async function writeAnalysis(analysis: Analysis, outDir: string): Promise<readonly string[]> {
  const tables: Readonly<Record<string, ResultTable>> = {
    'pareto.csv': tabulateFronts(analysis),
    'summary.csv': tabulateSummaries(analysis),
    'correlations.csv': tabulateCorrelations(analysis),
  };
  const written: string[] = [];
  try {
    await mkdir(outDir, { recursive: true });
    for (const [name, { columns, rows }] of Object.entries(tables)) {
      const file = path.join(outDir, name);
      await writeFile(`${file}.tmp`, renderCsv(columns, rows));
      await rename(`${file}.tmp`, file);
      written.push(file);
    }
  } catch (error) {
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
