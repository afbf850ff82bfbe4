import {
  type Analysis,
  type AnalysisOptions,
  analyzeTable,
  type Constraint,
  createTableBuilder,
  type Table,
} from '../analysis/index.ts';
import { AnalysisError } from '../errors.ts';
import type { ExperimentSpec } from '../spec/index.ts';
import { type Results, readResults } from '../store/index.ts';
import { readKeptRequests } from './kept-requests.ts';

/** What a user may ask beyond what the spec of the results says. */
export interface AskedOptions {
  readonly objectives: AnalysisOptions['objectives'];
  readonly contexts: readonly string[];
  readonly constraints: NonNullable<AnalysisOptions['constraints']>;
  readonly allowMixedEnergy: boolean;
}

/** An analysis with the result folders it was made from. */
export interface AnalyzedResults {
  readonly analysis: Analysis;
  readonly results: readonly Results[];
}

/**
 * Analyses one or several result folders together, with the factors, objectives and contexts of their spec where none are asked, and its constraints beside those asked.
 *
 * Where trials come from several machines, the machine (`host`) becomes a factor and a context.
 * @throws AnalysisError, StoreError
 */
export async function analyzeResults(folders: readonly string[], asked: AskedOptions): Promise<AnalyzedResults> {
  const results = await Promise.all(folders.map((folder) => readResults(folder)));
  return { analysis: analyzeRead(results, asked), results };
}

/** The same for folders that have been read. @throws AnalysisError */
export function analyzeRead(results: readonly Results[], asked: AskedOptions): Analysis {
  const rows = results.flatMap((result) => result.rows);
  const folderOf = results.flatMap((result) => result.rows.map(() => result));
  if (rows.length === 0) {
    throw new AnalysisError({
      where: results.map(({ outDir }) => outDir).join(', '),
      what: 'no trial has been recorded yet',
      hint: 'Run the experiment first: dse run <spec>.',
    });
  }
  const specs = results.map(({ manifest }) => manifest.spec);
  const hosts = new Set(rows.map(({ host }) => host));
  const extra = hosts.size > 1 ? ['host'] : [];
  const factors = [...variedFactors(specs, rows), ...extra];
  return analyzeTable(tableOfResults(results, factors), {
    factors,
    objectives: asked.objectives.length > 0 ? asked.objectives : (specs[0]?.objectives ?? []),
    contexts: [
      ...new Set([
        ...(asked.contexts.length > 0 ? asked.contexts : specs.flatMap(({ contexts }) => contexts)),
        ...extra,
      ]),
    ],
    constraints: joinConstraints(asked.constraints, specs[0]?.constraints ?? []),
    ...(specs[0] === undefined ? {} : { confidence: specs[0].measure.confidence }),
    requestsOf: (index) => {
      const [row, folder] = [rows[index], folderOf[index]];
      return row === undefined || folder === undefined ? undefined : readKeptRequests(row, folder);
    },
    closedLoads: specs.flatMap(({ loads }) =>
      Object.entries(loads).flatMap(([name, { kind }]) => (kind === 'concurrency' ? [name] : [])),
    ),
    allowMixedEnergy: asked.allowMixedEnergy,
  });
}

/** What is asked, and what the spec demands besides; of the same limit on the same response, what is asked. */
function joinConstraints(asked: AskedOptions['constraints'], written: AskedOptions['constraints']) {
  const isAsked = (gate: Constraint) =>
    asked.some(({ response, relation }) => response === gate.response && relation === gate.relation);
  return [...written.filter((gate) => !isAsked(gate)), ...asked];
}

/** The trials of some folders as one table; a column that no trial has a value for is a column all the same: an objective may name it. */
export function tableOfResults(results: readonly Results[], factors: readonly string[]): Table {
  const columns = [...new Set(results.flatMap((result) => result.columns))];
  const table = createTableBuilder(columns, factors);
  for (const row of results.flatMap(({ rows }) => rows)) table.add(columns.map((column) => row[column]));
  return table.finish();
}

/** Factors that an experiment varies, or that differ between the experiments; what is the same everywhere tells configurations apart nowhere. */
export function variedFactors(specs: readonly ExperimentSpec[], rows: Results['rows']): string[] {
  const varied = specs.flatMap((spec) => Object.keys(spec.factors));
  const fixed = specs.flatMap((spec) => Object.keys(spec.fixed));
  const differing = fixed.filter((factor) => new Set(rows.map((row) => row[factor])).size > 1);
  return [...new Set([...varied, ...differing])];
}
