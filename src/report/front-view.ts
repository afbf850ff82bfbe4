import { type Analysis, levelsOf } from '../analysis/index.ts';
import { findResponse, type Objective } from '../spec/index.ts';
import type { Cell, Results } from '../store/index.ts';
import { formatNumber } from './numbers.ts';
import { isSyntheticModel } from './synthetic.ts';
import type { TextColumn } from './text-table.ts';

type Row = Readonly<Record<string, Cell>>;

/** The overall front as a table, best value of the first objective on top. */
export interface FrontView {
  readonly title: string;
  readonly columns: readonly TextColumn[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The configurations on the front over all contexts, with what may weaken a figure named beside it: `synthetic weights`, `estimate`, and verdicts that are not `valid`.
 *
 * @param results - the folders whose rows were analysed, in that order; none for a plain table
 */
export function viewFront(analysis: Analysis, results: readonly Results[]): FrontView {
  const { configurations, options, fronts } = analysis;
  const all = fronts.find(({ name }) => name === 'all');
  const onFront = sortByFirstObjective(
    [...(all?.members ?? [])].filter((_, place) => all?.onFront[place] === 1),
    analysis,
  );
  const rows = results.flatMap((result) => result.rows);
  const usableRows = (configuration: number) => [
    ...configurations.rows.subarray(configurations.offsets[configuration], configurations.offsets[configuration + 1]),
  ];
  const tableRows = (configuration: number) =>
    usableRows(configuration)
      .map((index) => rows[index])
      .filter((row) => row !== undefined);
  const hasReplicates = onFront.some((configuration) => usableRows(configuration).length > 1);

  return {
    title: `Pareto front: ${onFront.length} of ${configurations.count} configurations`,
    columns: [
      ...configurations.factors.map((factor) => ({ header: [factor], align: 'left' }) as const),
      ...options.objectives.map((objective) => ({ header: headerOf(objective), align: 'right' }) as const),
      ...(hasReplicates ? [{ header: ['trials'], align: 'right' } as const] : []),
      ...(results.length > 0 ? [{ header: ['verdict'], align: 'left' } as const] : []),
    ],
    rows: onFront.map((configuration) => [
      ...levelsOf(configurations, configuration).map((level, index) =>
        configurations.factors[index] === 'model' && isSyntheticModel(level, results)
          ? `${level} (synthetic weights)`
          : level,
      ),
      ...options.objectives.map(({ response }) => {
        const value = formatNumber(analysis.means.get(response)?.[configuration] as number);
        return isEstimated(response, tableRows(configuration)) ? `${value} (estimate)` : value;
      }),
      ...(hasReplicates ? [String(usableRows(configuration).length)] : []),
      ...(results.length > 0 ? [summarizeVerdicts(tableRows(configuration))] : []),
    ]),
  };
}

function headerOf({ response, direction }: Objective): string[] {
  const unit = findResponse(response)?.unit ?? '';
  return [response, unit === '' ? direction : `${unit}, ${direction}`];
}

function sortByFirstObjective(configurations: number[], { options, means }: Analysis): number[] {
  const [first] = options.objectives;
  const values = first && means.get(first.response);
  if (values === undefined) return configurations;
  const sign = first?.direction === 'maximize' ? -1 : 1;
  return configurations.sort((a, b) => sign * ((values[a] as number) - (values[b] as number)));
}

/** Whether a figure rests on energy that was computed and not measured. */
function isEstimated(response: string, rows: readonly Row[]): boolean {
  const isEnergy = response.startsWith('energy_') || response.includes('power_w');
  return isEnergy && rows.some((row) => row.energy_source === 'estimate');
}

function summarizeVerdicts(rows: readonly Row[]): string {
  const overloaded = rows.filter(({ verdict }) => verdict === 'overloaded').length;
  if (overloaded === 0) return 'valid';
  return overloaded === rows.length ? 'overloaded' : `overloaded in ${overloaded} of ${rows.length}`;
}
