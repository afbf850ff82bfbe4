import { join } from 'node:path';
import { StoreError } from '../errors.ts';
import { FILES } from './files.ts';
import { readJournal } from './journal.ts';
import { readManifest } from './manifest.ts';
import { createTrialsTable } from './trials-table.ts';
import type { Results } from './types.ts';

/**
 * Everything a result folder says, read from its journal. Changes nothing, so it can be called while a run writes.
 *
 * @throws StoreError where the folder holds no results or its journal is damaged
 */
export async function readResults(outDir: string): Promise<Results> {
  const manifest = await readManifest(outDir);
  if (manifest === undefined) {
    throw new StoreError({
      where: outDir,
      what: `this is not a result folder: it has no ${FILES.manifest}`,
      hint: 'Give a folder that `dse run` made, e.g. results/quickstart, or a CSV file.',
    });
  }
  const { records: lines, warnings } = await readJournal(join(outDir, FILES.journal));
  const table = createTrialsTable(manifest.spec);
  for (const line of lines) table.add(line);
  return {
    outDir,
    manifest,
    records: lines.filter((line) => line.kind === 'trial'),
    idlePower: lines.filter((line) => line.kind === 'idle-power'),
    modelProfiles: lines.filter((line) => line.kind === 'model-profile'),
    generatorCeilings: lines.filter((line) => line.kind === 'generator-ceiling'),
    columns: table.columns(),
    rows: table.rows(),
    warnings,
  };
}
