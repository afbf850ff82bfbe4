import { statSync } from 'node:fs';
import path from 'node:path';
import { type AnalysisOptions, analyzeTable } from '../../analysis/index.ts';
import { UsageError } from '../../errors.ts';
import { renderFronts } from '../../report/index.ts';
import { type AnalyzedResults, analyzeResults } from '../analyze-results.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { parseConstraint } from '../parse-constraint.ts';
import { readCsvTable } from '../read-table.ts';
import { writeAnalysis } from '../write-analysis.ts';

interface AnalyzeOptions {
  readonly factors?: string;
  readonly minimize: readonly string[];
  readonly maximize: readonly string[];
  readonly context: readonly string[];
  readonly where: readonly string[];
  readonly allowMixedEnergy?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** `dse analyze`: fronts, summaries and correlations of result folders or of one CSV table. */
export async function analyze(inputs: readonly string[], options: AnalyzeOptions): Promise<ExitCode> {
  const asked = {
    objectives: [
      ...options.minimize.map((response) => ({ response, direction: 'minimize' }) as const),
      ...options.maximize.map((response) => ({ response, direction: 'maximize' }) as const),
    ],
    contexts: options.context,
    constraints: options.where.map(parseConstraint),
    allowMixedEnergy: options.allowMixedEnergy ?? false,
  };
  const [first = ''] = inputs;
  const isTable = inputs.some((input) => statSync(input, { throwIfNoEntry: false })?.isFile());
  if (isTable && inputs.length > 1) {
    throw new UsageError({
      what: `${inputs.length} inputs were given and one of them is a file`,
      hint: 'Give one CSV file, or one or more result folders.',
    });
  }
  const { analysis, results } = isTable
    ? await analyzeCsv(first, tableOptions(options, asked))
    : await analyzeResults(inputs, asked);
  const outDir = options.out ?? (isTable ? path.join(path.dirname(first), 'analysis') : path.join(first, 'analysis'));
  const files = await writeAnalysis(analysis, outDir);

  if (options.json) {
    process.stdout.write(`${JSON.stringify({ counts: analysis.counts, notes: analysis.notes, files })}\n`);
  } else {
    process.stdout.write(`${renderFronts(analysis, results)}\n${files.map((file) => `wrote ${file}\n`).join('')}`);
  }
  return EXIT.ok;
}

async function analyzeCsv(file: string, options: AnalysisOptions): Promise<AnalyzedResults> {
  return { analysis: analyzeTable(await readCsvTable(file, options.factors), options), results: [] };
}

/** The factors and objectives of a plain table must be named. */
function tableOptions(options: AnalyzeOptions, asked: Omit<AnalysisOptions, 'factors'>): AnalysisOptions {
  const factors =
    options.factors
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '') ?? [];
  const problems = [
    ...(factors.length === 0
      ? [
          {
            what: 'the factors of the table are not named',
            hint: 'Add --factors with the columns that were varied, e.g. --factors model,batch.',
          },
        ]
      : []),
    ...(asked.objectives.length === 0
      ? [
          {
            what: 'no objective is named',
            hint: 'Add --minimize or --maximize with a column, e.g. --minimize latency_ms.',
          },
        ]
      : []),
  ];
  if (problems.length > 0) throw new UsageError(problems);
  return { ...asked, factors };
}
