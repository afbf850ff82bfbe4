import { AnalysisError, type Problem } from '../errors.ts';
import { checkLosses } from './losses.ts';
import type { AnalysisOptions, Column, Table } from './types.ts';

/**
 * Throws unless the table can answer what the options ask.
 *
 * @throws AnalysisError listing every problem: no rows or one, columns that are missing or hold text where numbers belong, roles that contradict each other
 */
export function checkTable(table: Table, options: AnalysisOptions): void {
  const problems = [
    ...checkRowCount(table),
    ...checkRoles(options),
    ...checkLosses(options),
    ...checkColumns(table, options),
  ];
  if (problems.length > 0) throw new AnalysisError(problems);
}

function checkRowCount({ rowCount }: Table): Problem[] {
  if (rowCount === 0)
    return [{ what: 'the table has no rows', hint: 'Give a table with at least two rows under its header.' }];
  if (rowCount === 1)
    return [{ what: 'the table has one row', hint: 'A comparison needs two. Measure another configuration.' }];
  return [];
}

function checkRoles({ factors, objectives, contexts, confidence }: AnalysisOptions): Problem[] {
  const problems: Problem[] = [];
  if (factors.length === 0) {
    problems.push({ what: 'no factors are named', hint: 'Name the columns whose combination makes a configuration.' });
  }
  if (objectives.length === 0) {
    problems.push({ what: 'no objectives are named', hint: 'Name at least one column to minimize or to maximize.' });
  }
  for (const [role, names] of [
    ['factor', factors],
    ['objective', objectives.map(({ response }) => response)],
    ['context', contexts],
  ] as const) {
    for (const name of repeated(names)) {
      problems.push({ what: `${role} "${name}" is named twice`, hint: 'Name it once.' });
    }
  }
  for (const { response } of objectives) {
    if (factors.includes(response)) {
      problems.push({
        what: `"${response}" is both a factor and an objective`,
        hint: 'A factor is set, an objective is measured; choose one.',
      });
    }
  }
  for (const context of contexts) {
    if (!factors.includes(context)) {
      problems.push({
        what: `context "${context}" is not one of the factors (${factors.join(', ')})`,
        hint: 'Add it to the factors, or choose one of them.',
      });
    }
  }
  if (confidence !== undefined && !(confidence > 0 && confidence < 1)) {
    problems.push({ what: `the confidence is ${confidence}`, hint: 'Give a share between 0 and 1, e.g. 0.95.' });
  }
  return problems;
}

function repeated(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

function checkColumns(
  table: Table,
  { factors, objectives, constraints = [], responses = [] }: AnalysisOptions,
): Problem[] {
  const problems: Problem[] = [];
  const numeric = new Set([
    ...objectives.map(({ response }) => response),
    ...constraints.map(({ response, lossOf }) => lossOf ?? response),
    ...responses,
  ]);
  for (const name of new Set([...factors, ...numeric])) {
    const column = table.columns.get(name);
    if (column === undefined) {
      problems.push({
        where: `column "${name}"`,
        what: 'the table has no such column',
        hint: `Its columns are: ${table.names.join(', ')}.`,
      });
    } else if (numeric.has(name) && column.kind === 'text') problems.push(describeText(name, column, table));
  }
  return problems;
}

/** The first cells of a column that should hold numbers and does not, by row and, where the table names them, by trial. */
export function describeText(
  name: string,
  { codes, levels }: Column & { readonly kind: 'text' },
  table: Table,
): Problem {
  const isNumber = levels.map((level) => Number.isFinite(Number(level)));
  const rows: number[] = [];
  let count = 0;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    if (code < 0 || isNumber[code]) continue;
    count++;
    if (rows.length < 3) rows.push(row);
  }
  // Spellings such as "007" are text by themselves; then every cell reads as a number and the first is shown.
  if (count === 0) return unplainNumber(name, levels[codes.find((code) => code >= 0) as number] as string);
  const shown = rows
    .map((row) => `${JSON.stringify(levels[codes[row] as number])} in row ${row + 1}${nameTrial(table, row)}`)
    .join(', ');
  return {
    where: `column "${name}"`,
    what: `${count} ${count === 1 ? 'cell is' : 'cells are'} not a finite number: ${shown}${count > rows.length ? ', ...' : ''}`,
    hint: 'Give decimal numbers, and leave a cell empty where nothing was measured.',
  };
}

function nameTrial({ columns }: Table, row: number): string {
  const trials = columns.get('trial_id');
  const trial = trials?.kind === 'text' ? trials.levels[trials.codes[row] as number] : undefined;
  return trial === undefined ? '' : ` (trial ${trial})`;
}

function unplainNumber(name: string, first: string): Problem {
  return {
    where: `column "${name}"`,
    what: `some numbers are written in a form that may be a name, e.g. with leading zeros (the first cell is ${JSON.stringify(first)})`,
    hint: 'Write plain decimal numbers, e.g. 7 instead of 007.',
  };
}
