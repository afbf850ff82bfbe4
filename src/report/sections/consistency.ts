import { type Html, html } from '../html/escape.ts';
import { levelLabel, responseLabel } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { pageTable } from './section.ts';

/** The four questions on what contexts share, as tables of the objectives; nothing where there is no context. */
export function consistencyTables(part: ReportPart): Html {
  const wanted = new Set(part.analysis.options.objectives.map(({ response }) => response));
  const ofObjectives = (file: string) =>
    resultRows(part, file, (row) => wanted.has(String(row.response)) && row.empty_because === undefined) ?? [];
  const tables = [
    consistencyTable(part, ofObjectives('consistency.csv')),
    influenceTable(part, ofObjectives('influence.csv')),
    invalidTable(part, resultRows(part, 'invalid-overlap.csv') ?? []),
  ];
  return html`${tables}`;
}

function consistencyTable(part: ReportPart, rows: readonly ResultRow[]): Html | undefined {
  if (rows.length === 0) return undefined;
  return pageTable(
    [
      { header: 'response' },
      { header: 'levels' },
      { header: 'pairs', isNumber: true },
      { header: 'Pearson' },
      { header: 'Spearman' },
      { header: 'Kendall' },
      { header: 'slope of the line' },
      { header: 'Kolmogorov-Smirnov distance' },
      { header: 'Kullback-Leibler divergence' },
    ],
    rows.map((row) => [
      responseLabel(part, String(row.response)),
      pairOf(part, row),
      numberIn(row, 'n'),
      ...['pearson', 'spearman', 'kendall'].map((name) => withInterval(row, name)),
      `${withInterval(row, 'slope')}${row.scale === 'log' ? ', of logarithms' : ''}`,
      withInterval(row, 'ks'),
      withInterval(row, 'kl'),
    ]),
    'Is performance consistent?',
  );
}

function influenceTable(part: ReportPart, rows: readonly ResultRow[]): Html | undefined {
  if (rows.length === 0) return undefined;
  return pageTable(
    [
      { header: 'response' },
      { header: 'levels' },
      { header: 'kind' },
      { header: 'correlation of effects (Spearman)' },
      { header: 'clear effects of the same sign' },
      { header: 'significant in both' },
      { header: 'order of importance (Spearman)', isNumber: true },
    ],
    rows.map((row) => [
      responseLabel(part, String(row.response)),
      pairOf(part, row),
      row.kind === 'interaction' ? 'interactions' : 'main effects',
      withInterval(row, 'spearman'),
      Number.isNaN(numberIn(row, 'clear')) ? '' : `${row.same_sign} of ${row.clear}`,
      `${row.significant_both} of ${row.terms}`,
      figure(row, 'importance_spearman'),
    ]),
    'Do factors, and interactions, keep their influence?',
  );
}

function invalidTable(part: ReportPart, rows: readonly ResultRow[]): Html | undefined {
  if (rows.length === 0) return undefined;
  return pageTable(
    [
      { header: 'levels' },
      { header: 'configurations', isNumber: true },
      { header: 'invalid at the first', isNumber: true },
      { header: 'at the second', isNumber: true },
      { header: 'at both', isNumber: true },
    ],
    rows.map((row) => [
      pairOf(part, row),
      ...['n', 'invalid_a', 'invalid_b', 'invalid_both'].map((name) => numberIn(row, name)),
    ]),
    'Are invalid configurations invalid elsewhere too?',
  );
}

function pairOf(part: ReportPart, { context, a, b }: ResultRow): string {
  const [first, second] = [a, b].map((level) => levelLabel(part, String(context), String(level)));
  return `${context}: ${first} – ${second}`;
}

/** "0.93 (0.85 to 0.97)". */
function withInterval(row: ResultRow, name: string): string {
  const [lo, hi] = [figure(row, `${name}_lo`), figure(row, `${name}_hi`)];
  return `${figure(row, name)}${lo === '' || hi === '' ? '' : ` (${lo} to ${hi})`}`;
}

function figure(row: ResultRow, name: string): string {
  const value = numberIn(row, name);
  return Number.isNaN(value) ? '' : formatNumber(Number(value.toPrecision(3)));
}
