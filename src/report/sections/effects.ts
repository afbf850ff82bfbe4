import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { type Html, html } from '../html/escape.ts';
import { levelLabel, responseLabel } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

const TITLE = 'What matters: effects';
/** Bars that can be read in one picture; the table below it has as many, the file all. */
const MAX_TERMS = 15;

/** How much of each objective's variation every factor and interaction explains, with intervals. */
export function effectsSection(part: ReportPart): Section {
  const { objectives } = part.analysis.options;
  const wanted = new Set(objectives.map(({ response }) => response));
  const rows =
    resultRows(part, 'effects.csv', (row) => row.context === 'all' && wanted.has(String(row.response))) ?? [];
  const tested = rows.filter(({ rank }) => typeof rank === 'number');
  if (tested.length === 0) {
    const why = rows.map(({ empty_because }) => empty_because).find((reason) => reason !== undefined);
    return absentSection(
      'effects',
      TITLE,
      `No effect could be estimated${why === undefined ? '' : `: ${why}`}.`,
      'Effects need factors that vary and replicates, or more configurations than terms: design: { replicates: 2 }.',
    );
  }
  const shown = objectives.flatMap(({ response }, index) => {
    const terms = tested
      .filter((row) => row.response === response)
      .sort((a, b) => numberIn(a, 'rank') - numberIn(b, 'rank'));
    return terms.length === 0 ? [] : [{ response, terms, chart: effectChart(part, response, terms, index) }];
  });
  return {
    id: 'effects',
    title: TITLE,
    charts: shown.map(({ chart }) => chart),
    body: html`<p>Partial eta squared: the share of the variation not explained by other terms that a term explains, with its interval. Analysis of variance with blocks (type III); p-values are adjusted for the number of terms by Holm's method. What is not shown here stands in effects.csv and simple-effects.csv.</p>
${figures(shown.map(({ chart }) => chart))}
${shown.map(({ response, terms }) => html`<details><summary>${responseLabel(part, response)} in figures</summary>${effectTable(part, terms)}</details>`)}`,
  };
}

function effectChart(part: ReportPart, response: string, terms: readonly ResultRow[], index: number): Chart {
  const bars = terms.slice(0, MAX_TERMS).map((row) => ({
    term: termLabel(row),
    kind: row.kind === 'interaction' ? 'interaction' : 'main effect',
    size: numberIn(row, 'partial_eta_sq'),
    lo: orNull(numberIn(row, 'partial_eta_sq_lo')),
    hi: orNull(numberIn(row, 'partial_eta_sq_hi')),
    p: orNull(numberIn(row, 'p_adjusted')),
    change: changeWords(part, row),
  }));
  return {
    id: `effects-${index + 1}`,
    title: `Effects on ${responseLabel(part, response)}`,
    spec: 'effects',
    values: {
      height: rowsHeight(bars.length),
      xTitle: `partial eta squared${terms[0]?.scale === 'log' ? ' (logarithms)' : ''}`,
    },
    data: { terms: columnsOf(bars) },
  };
}

function effectTable(part: ReportPart, terms: readonly ResultRow[]): Html {
  const format = (row: ResultRow, column: string) =>
    Number.isNaN(numberIn(row, column)) ? '' : formatNumber(numberIn(row, column));
  return pageTable(
    [
      { header: 'term' },
      { header: 'partial eta squared', isNumber: true },
      { header: 'interval' },
      { header: 'F', isNumber: true },
      { header: 'p', isNumber: true },
      { header: 'p by permutation', isNumber: true },
      { header: 'p adjusted', isNumber: true },
      { header: 'from lowest to highest level' },
    ],
    terms
      .slice(0, MAX_TERMS)
      .map((row) => [
        termLabel(row),
        format(row, 'partial_eta_sq'),
        `${format(row, 'partial_eta_sq_lo')} to ${format(row, 'partial_eta_sq_hi')}`,
        format(row, 'f'),
        format(row, 'p'),
        format(row, 'p_permutation'),
        format(row, 'p_adjusted'),
        changeWords(part, row),
      ]),
  );
}

function termLabel({ term, aliased_with }: ResultRow): string {
  return `${String(term).replaceAll(':', ' × ')}${aliased_with === undefined ? '' : ` (or ${aliased_with})`}`;
}

/** "1 to 4: x 2.31", "light to high: + 12 ms". */
function changeWords(part: ReportPart, row: ResultRow): string {
  const change = numberIn(row, 'change');
  if (Number.isNaN(change)) return '';
  const level = (name: unknown) => levelLabel(part, String(row.term), String(name));
  const amount = row.change_unit === 'ratio' ? `× ${formatNumber(change)}` : `+ ${formatNumber(change)}`;
  return `${level(row.lowest_level)} to ${level(row.highest_level)}: ${amount}`;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
