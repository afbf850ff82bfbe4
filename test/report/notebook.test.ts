import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { writeAnalysis } from '../../src/cli/write-analysis.ts';
import { packageFile } from '../../src/package-files.ts';
import type { ReportPart } from '../../src/report/index.ts';
import { renderCsv } from '../../src/store/index.ts';
import { scratchFolder } from '../cli/dse.ts';
import { syntheticPart, tablePart } from './make-page.ts';

/** A Python that can run notebooks; `.ci/run` makes one and names it in DSE_PYTHON. */
const python = [process.env.DSE_PYTHON, 'python3'].find((command) => {
  if (command === undefined) return false;
  try {
    execFileSync(command, ['-c', 'import nbclient, ipykernel, pandas, matplotlib'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

const RUN = `
import sys, nbformat
from nbclient import NotebookClient
folder = sys.argv[1]
notebook = nbformat.read(folder + '/report.ipynb', as_version=4)
NotebookClient(notebook, timeout=120, kernel_name='python3', resources={'metadata': {'path': folder}}).execute()
nbformat.write(notebook, folder + '/done.ipynb')
`;

interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string;
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
}

/** Runs the notebook on the tables of a part; gives what its cells put out. */
async function runNotebook(part: ReportPart, folder: string): Promise<Output[]> {
  const dir = path.join(folder, 'analysis');
  await mkdir(dir, { recursive: true });
  await writeAnalysis(part.analysis, dir);
  await copyFile(packageFile('analysis/report.ipynb'), path.join(dir, 'report.ipynb'));
  await execa(python as string, ['-c', RUN, dir], { timeout: 110_000 });
  const { cells } = JSON.parse(await readFile(path.join(dir, 'done.ipynb'), 'utf8')) as {
    cells: readonly { outputs?: readonly Output[] }[];
  };
  return cells.flatMap(({ outputs }) => outputs ?? []);
}

function textOf(outputs: readonly Output[]): string {
  const parts = outputs.flatMap(({ data }) => [data?.['text/markdown'] ?? [], data?.['text/plain'] ?? []].flat());
  return parts.join('\n');
}

/** The figures of the rows of a table that the notebook shows first. */
async function firstFigures(folder: string, file: string, column: string): Promise<number[]> {
  const text = await readFile(path.join(folder, 'analysis', file), 'utf8');
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  const wanted = rows.filter(
    (row) =>
      ['latency_mean_ms', 'capacity_rps'].includes(row.response as string) && row.is_knee !== 'false' && row[column],
  );
  expect(wanted.length, file).toBeGreaterThan(0);
  return wanted.slice(0, 3).map((row) => Number(row[column]));
}

/** Whether a text holds all these numbers, with as many digits as pandas shows. */
function figuresIn(text: string, figures: readonly number[]): boolean {
  const shown = (text.match(/-?\d+\.\d+(e[+-]\d+)?/g) ?? []).map(Number);
  return figures.every((figure) => shown.some((one) => Math.abs(one - figure) <= 1e-4 * Math.max(1, Math.abs(figure))));
}

describe.skipIf(python === undefined)(
  'the notebook (skipped without a Python that has nbclient, pandas and matplotlib)',
  () => {
    test('runs from top to bottom on a result folder, draws, and complains of nothing', async () => {
      await using scratch = await scratchFolder();
      const part = syntheticPart({ batches: 2, threads: 2, energySource: 'estimate' });
      const { results } = part;
      if (results === undefined) throw new Error('a synthetic part has results');
      await scratch.file('manifest.json', JSON.stringify(results.manifest));
      const cells = results.rows.map((row) => results.columns.map((column) => row[column]));
      await scratch.file('trials.csv', renderCsv(results.columns, cells));
      const outputs = await runNotebook(part, scratch.dir);
      expect(outputs.filter(({ name }) => name === 'stderr')).toEqual([]);
      expect(outputs.filter(({ data }) => data !== undefined && 'image/png' in data).length).toBeGreaterThan(5);
      const text = textOf(outputs);
      const onFront = part.analysis.fronts[0]?.onFront.reduce((sum, mark) => sum + mark, 0);
      expect(text).toContain(
        `${onFront} of 24 configurations are on the front of latency_mean_ms, energy_per_inference_j (estimate)`,
      );
      for (const [file, column] of [
        ['predictors.csv', 'spearman'],
        ['scaling.csv', 'speedup'],
        ['load-curves.csv', 'power'],
      ] as const) {
        expect(figuresIn(text, await firstFigures(scratch.dir, file, column)), file).toBe(true);
      }
      expect(text).toContain('resnet18 (synthetic weights)');
      expect(text).toContain('Energy is an estimate from CPU time and was not measured.');
    }, 120_000);

    test('runs on the tables of a plain CSV too', async () => {
      await using scratch = await scratchFolder();
      const rows = ['red', 'green', 'blue'].map((colour, index) => ({
        colour,
        cost: index + 1,
        gain: (index + 1) ** 2,
      }));
      const outputs = await runNotebook(tablePart(rows), scratch.dir);
      expect(outputs.filter(({ name }) => name === 'stderr')).toEqual([]);
      expect(textOf(outputs)).toContain('The tables come from a plain CSV file');
      expect(textOf(outputs)).toContain('3 of 3 configurations are on the front of cost, gain.');
    }, 120_000);
  },
);
