import type { ResultTable } from '../analysis/index.ts';
import type { Results } from '../store/index.ts';
import { isEnergyResponse } from './labels.ts';
import { formatNumber } from './numbers.ts';
import type { TableView } from './renderers.ts';
import { isSyntheticModel } from './synthetic.ts';

type Value = string | number | boolean | undefined;

/**
 * A table of the analysis for people: numbers at four digits, columns without any value left out, estimated energy and synthetic weights named.
 *
 * @param file - its name, e.g. `effects.csv`
 * @param results - the folders that were analysed; none for a plain table
 */
export function viewResultTable(file: string, { columns, rows }: ResultTable, results: readonly Results[]): TableView {
  const hasEstimates = results.some((result) => result.rows.some(({ energy_source }) => energy_source === 'estimate'));
  const named = (text: string) => (hasEstimates && isEnergyResponse(text) ? `${text} (estimate)` : text);
  const model = (level: string) => (isSyntheticModel(level, results) ? `${level} (synthetic weights)` : level);
  const all = [...rows];
  const kept = columns.flatMap((_, index) => (all.some((row) => row[index] !== undefined) ? [index] : []));
  const context = columns.indexOf('context');
  const cell = (row: readonly Value[], index: number): string => {
    const value = row[index];
    const column = columns[index] as string;
    if (value === undefined) return '';
    if (typeof value === 'number') return formatNumber(value);
    const text = String(value);
    if (column === 'response') return named(text);
    const isModel = column === 'model' || column.endsWith('_model');
    const isLevel = ['a', 'b', 'from', 'to'].includes(column) && row[context] === 'model';
    if (isModel || isLevel) return model(text);
    return text.startsWith('model=') ? `model=${model(text.slice('model='.length))}` : text;
  };
  return {
    title: file,
    columns: kept.map((index) => ({
      header: [named(columns[index] as string)],
      align: all.every((row) => row[index] === undefined || typeof row[index] === 'number') ? 'right' : 'left',
    })),
    rows: all.map((row) => kept.map((index) => cell(row, index))),
    remarks: all.length === 0 ? ['It has no rows; docs/analysis.md says what it takes.'] : [],
    file,
  };
}
