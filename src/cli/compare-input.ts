import { statSync } from 'node:fs';
import path from 'node:path';
import type { Table } from '../analysis/index.ts';
import { UsageError } from '../errors.ts';
import type { Objective } from '../spec/index.ts';
import { readResults } from '../store/index.ts';
import { tableOfResults, variedFactors } from './analyze-results.ts';
import { readCsvTable } from './read-table.ts';

/** One side of a comparison as the command line names it. */
export interface CompareInput {
  /** Where it comes from, made absolute: two sides of one source can be paired. */
  readonly source: string;
  readonly levels: ReadonlyMap<string, string>;
  readonly factors: readonly string[];
  readonly objectives: readonly Objective[];
  readonly table: Table;
  readonly hosts: readonly string[];
}

/**
 * Reads `folder`, `table.csv`, or either with a selection: `folder?threads=1,batch=4`.
 *
 * @param factorNames - factors of a plain table
 * @throws UsageError, StoreError, AnalysisError
 */
export async function readCompareInput(text: string, factorNames: readonly string[]): Promise<CompareInput> {
  const at = text.indexOf('?');
  const source = at < 0 ? text : text.slice(0, at);
  const levels = at < 0 ? new Map<string, string>() : parseLevels(text.slice(at + 1), text);
  const read = statSync(source, { throwIfNoEntry: false })?.isFile()
    ? await readTable(source, factorNames)
    : await readFolder(source);
  const problems = [...levels].flatMap(([factor, level]) => {
    const column = read.table.columns.get(factor);
    if (!read.factors.includes(factor) || column?.kind !== 'text') {
      return [
        {
          where: text,
          what: `"${factor}" is not one of the factors`,
          hint: hintLevels(level, source, `They are: ${read.factors.join(', ')}.`),
        },
      ];
    }
    return column.levels.includes(level)
      ? []
      : [
          {
            where: text,
            what: `no row has ${factor}=${level}`,
            hint: hintLevels(level, source, `Its levels are: ${column.levels.join(', ')}.`),
          },
        ];
  });
  if (problems.length > 0) throw new UsageError(problems);
  return { source: path.resolve(source), levels, ...read };
}

/** A level that goes on with another selection was hardly meant as a name. */
function hintLevels(level: string, source: string, known: string): string {
  return /[^,]=/.test(level) || level.includes('&')
    ? `Commas separate levels, e.g. '${source}?threads=1,batch=4'. ${known}`
    : known;
}

function parseLevels(selection: string, text: string): Map<string, string> {
  return new Map(
    selection.split(',').map((pair) => {
      // A level may hold an equals sign itself.
      const equals = pair.indexOf('=');
      const [factor, level] = [pair.slice(0, equals), pair.slice(equals + 1)];
      if (factor.trim() === '' || equals < 0) {
        throw new UsageError({
          where: text,
          what: `"${pair}" does not select a level`,
          hint: "Write factor=level, several separated by commas, e.g. 'results/a?threads=1,batch=4'.",
        });
      }
      return [factor.trim(), level.trim()] as const;
    }),
  );
}

async function readTable(file: string, factors: readonly string[]) {
  if (factors.length === 0) {
    throw new UsageError({
      where: file,
      what: 'the factors of the table are not named',
      hint: 'Add --factors with the columns that were varied, e.g. --factors model,batch.',
    });
  }
  const table = await readCsvTable(file, factors);
  const missing = factors.filter((factor) => !table.columns.has(factor));
  if (missing.length > 0) {
    throw new UsageError(
      missing.map((factor) => ({
        where: `${file}: column "${factor}"`,
        what: 'the table has no such column',
        hint: `Its columns are: ${table.names.join(', ')}.`,
      })),
    );
  }
  return { table, factors, objectives: [], hosts: [] };
}

async function readFolder(folder: string) {
  const results = await readResults(folder);
  const { spec } = results.manifest;
  const factors = variedFactors([spec], results.rows);
  const hosts = [...new Set(results.rows.map(({ host }) => String(host)))];
  return { table: tableOfResults([results], factors), factors, objectives: spec.objectives, hosts };
}
