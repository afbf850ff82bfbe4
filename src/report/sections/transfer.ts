import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { groupBy } from '../group-by.ts';
import { type Html, html } from '../html/escape.ts';
import { countOf, levelLabel, levelsInOrder, responseLabel } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

const TITLE = 'Does it carry over: taking the best to another context';

/** How much worse the best configuration of one context is in another: a matrix for each objective, and what a transfer saves. */
export function transferSection(part: ReportPart): Section {
  const { contexts } = part.analysis.options;
  const rows = resultRows(part, 'transfer.csv') ?? [];
  const known = rows.filter((row) => !Number.isNaN(numberIn(row, 'regret')));
  if (known.length === 0) {
    const why = rows.map(({ empty_because }) => empty_because).find((reason) => reason !== undefined);
    return absentSection(
      'transfer',
      TITLE,
      contexts.length === 0
        ? 'No context was named, so nothing can be taken from one to another.'
        : `No transfer could be worked out${why === undefined ? '' : `: ${why}`}.`,
      contexts.length === 0
        ? 'Name the factors that make up the environment under contexts: in the spec, or with --context.'
        : 'Measure the same configurations at two levels of the context.',
    );
  }
  const matrices = [...groupBy(known, ({ context, response }) => JSON.stringify([context, response])).values()];
  const charts = matrices.map((cells, index) => regretChart(part, cells, `transfer-${index + 1}`));
  return {
    id: 'transfer',
    title: TITLE,
    charts,
    body: html`<p>Regret: take the configuration that is best at one level of a context to another; how much worse is it there than that level's own best? 0 % means that nothing is lost. Intervals are in the table; they come from bootstrap draws, the choice included.</p>
${figures(charts)}
${regretTable(part, known)}`,
  };
}

function regretChart(part: ReportPart, cells: readonly ResultRow[], id: string): Chart {
  const [first] = cells;
  const [context, response] = [String(first?.context), String(first?.response)];
  const points = cells.map((cell) => ({
    from: levelLabel(part, context, String(cell.from)),
    to: levelLabel(part, context, String(cell.to)),
    regret: numberIn(cell, 'regret'),
    lo: orNull(numberIn(cell, 'regret_lo')),
    hi: orNull(numberIn(cell, 'regret_hi')),
    overlap: orNull(numberIn(cell, 'front_overlap')),
  }));
  const found = new Set(points.flatMap(({ from, to }) => [from, to]));
  const levels = levelsInOrder(part, context)
    .map((level) => levelLabel(part, context, level))
    .filter((level) => found.has(level));
  return {
    id,
    title: `Regret in ${responseLabel(part, response)} by ${context}`,
    spec: 'transfer',
    values: {
      height: 1.4 * rowsHeight(levels.length),
      levels,
      // Below a twentieth no colour shouts.
      domain: [0, points.reduce((most, { regret }) => Math.max(most, regret), 0.05)],
    },
    data: { cells: columnsOf(points) },
  };
}

function regretTable(part: ReportPart, rows: readonly ResultRow[]): Html {
  const { factors } = part.analysis.configurations;
  const configuration = (row: ResultRow, kind: 'carried' | 'best') =>
    factors
      .filter((factor) => factor !== row.context)
      .map((factor) => `${factor} ${levelLabel(part, factor, String(row[`${kind}_${factor}`] ?? ''))}`)
      .join(', ');
  return pageTable(
    [
      { header: 'objective' },
      { header: 'from' },
      { header: 'to' },
      { header: 'regret', isNumber: true },
      { header: 'interval' },
      { header: 'best of from, carried' },
      { header: 'best there' },
      { header: 'same among the best' },
      { header: 'overlap of fronts', isNumber: true },
      { header: 'measurements saved' },
    ],
    rows.map((row) => [
      responseLabel(part, String(row.response)),
      `${row.context} ${levelLabel(part, String(row.context), String(row.from))}`,
      `${row.context} ${levelLabel(part, String(row.context), String(row.to))}`,
      percent(numberIn(row, 'regret')),
      Number.isNaN(numberIn(row, 'regret_lo'))
        ? ''
        : `${percent(numberIn(row, 'regret_lo'))} to ${percent(numberIn(row, 'regret_hi'))}`,
      `${configuration(row, 'carried')}${row.meets_constraints === false ? ' (misses a constraint there)' : ''}`,
      configuration(row, 'best'),
      Number.isNaN(numberIn(row, 'top_k_overlap')) ? '' : `${row.top_k_overlap} of ${row.top_k}`,
      percent(numberIn(row, 'front_overlap')),
      Number.isNaN(numberIn(row, 'measurements_saved'))
        ? 'none'
        : `${countOf(numberIn(row, 'measurements'), 'measurement')} there, ${row.measurements_saved} saved`,
    ]),
    'Regret of every transfer',
  );
}

function percent(share: number): string {
  return Number.isNaN(share) ? '' : `${formatNumber(100 * share)} %`;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
