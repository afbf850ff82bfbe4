import { statSync } from 'node:fs';
import { type AnalysisOptions, analyzeTable } from '../analysis/index.ts';
import { UsageError } from '../errors.ts';
import { type AnalyzedResults, type AskedOptions, analyzeResults } from './analyze-results.ts';
import { parseNames } from './option-values.ts';
import { parseConstraint } from './parse-constraint.ts';
import { readCsvTable } from './read-table.ts';

/** What the command line may ask of results, as commander hands it over. */
export interface AskOptions {
  readonly factors?: string;
  readonly minimize: readonly string[];
  readonly maximize: readonly string[];
  readonly context: readonly string[];
  readonly where: readonly string[];
  readonly allowMixedEnergy?: boolean;
}

export function isTableFile(input: string): boolean {
  return statSync(input, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * Analyses result folders together, or one CSV table.
 *
 * @throws UsageError, AnalysisError, StoreError
 */
export async function analyzeInputs(inputs: readonly string[], options: AskOptions): Promise<AnalyzedResults> {
  const asked: AskedOptions = {
    objectives: [
      ...options.minimize.map((response) => ({ response, direction: 'minimize' }) as const),
      ...options.maximize.map((response) => ({ response, direction: 'maximize' }) as const),
    ],
    contexts: options.context,
    constraints: options.where.map(parseConstraint),
    allowMixedEnergy: options.allowMixedEnergy ?? false,
  };
  const [first = ''] = inputs;
  const hasTable = inputs.some(isTableFile);
  if (hasTable && inputs.length > 1) {
    throw new UsageError({
      what: `${inputs.length} inputs were given and one of them is a file`,
      hint: 'Give one CSV file, or one or more result folders.',
    });
  }
  if (!hasTable) return analyzeResults(inputs, asked);
  const ofTable = tableOptions(options, asked);
  return { analysis: analyzeTable(await readCsvTable(first, ofTable.factors), ofTable), results: [] };
}

/** The factors and objectives of a plain table must be named. */
function tableOptions(options: AskOptions, asked: Omit<AnalysisOptions, 'factors'>): AnalysisOptions {
  const factors = parseNames(options.factors);
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
