import path from 'node:path';
import { type Analysis, RESULT_TABLES } from '../../analysis/index.ts';
import { UsageError } from '../../errors.ts';
import { RENDERERS, renderFronts, type TableFormat, viewResultTable } from '../../report/index.ts';
import type { Results } from '../../store/index.ts';
import { type AskOptions, analyzeInputs, isTableFile } from '../analyze-input.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readTableFormat } from '../table-format.ts';
import { writeAnalysis } from '../write-analysis.ts';

interface AnalyzeOptions extends AskOptions {
  readonly out?: string;
  readonly format: string;
  readonly table?: string;
  readonly json?: boolean;
}

/** `dse analyze`: fronts, summaries and correlations of result folders or of one CSV table. */
export async function analyze(inputs: readonly string[], options: AnalyzeOptions): Promise<ExitCode> {
  const format = readTableFormat(options.format);
  const table = checkTable(options.table);
  const { analysis, results } = await analyzeInputs(inputs, options);
  const [first = ''] = inputs;
  const outDir = options.out ?? path.join(isTableFile(first) ? path.dirname(first) : first, 'analysis');
  const files = await writeAnalysis(analysis, outDir);

  if (options.json) {
    process.stdout.write(`${JSON.stringify({ counts: analysis.counts, notes: analysis.notes, files })}\n`);
  } else {
    process.stdout.write(render(analysis, results, format, table));
    // What is meant for a document is the table and nothing else.
    if (format === 'text') process.stdout.write(`\n${files.map((file) => `wrote ${file}\n`).join('')}`);
  }
  return EXIT.ok;
}

function render(
  analysis: Analysis,
  results: readonly Results[],
  format: TableFormat,
  table: string | undefined,
): string {
  const tabulate = table === undefined ? undefined : RESULT_TABLES[table];
  if (table === undefined || tabulate === undefined) return renderFronts(analysis, results, format);
  return RENDERERS[format](viewResultTable(table, tabulate(analysis), results));
}

/** The name of the file of a table that was asked for. @throws UsageError */
function checkTable(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const file = name.endsWith('.csv') ? name : `${name}.csv`;
  if (Object.hasOwn(RESULT_TABLES, file)) return file;
  throw new UsageError({
    where: '--table',
    what: `"${name}" is no table of the analysis`,
    hint: `Use one of: ${Object.keys(RESULT_TABLES)
      .map((known) => known.replace('.csv', ''))
      .join(', ')}.`,
  });
}
