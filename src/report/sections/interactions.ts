import { axisOf, type Chart, columnsOf } from '../charts/chart.ts';
import { MAX_GROUPS } from '../charts/theme.ts';
import { groupBy } from '../group-by.ts';
import { html } from '../html/escape.ts';
import { levelLabel, levelsInOrder, responseLabel, responseName } from '../labels.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, type Section } from './section.ts';

const TITLE = 'Which factors depend on each other';
/** Pairs of factors drawn for each objective. */
const MAX_PAIRS = 3;

/** For each objective, the interactions that explain most: a factor's means at each level of another, with intervals. */
export function interactionsSection(part: ReportPart): Section {
  const { objectives } = part.analysis.options;
  const wanted = new Set(objectives.map(({ response }) => response));
  const means =
    resultRows(
      part,
      'simple-effects.csv',
      (row) => row.context === 'all' && row.given_factor !== undefined && wanted.has(String(row.response)),
    ) ?? [];
  const terms =
    resultRows(
      part,
      'effects.csv',
      (row) => row.context === 'all' && row.kind === 'interaction' && typeof row.rank === 'number',
    ) ?? [];
  const charts = objectives.flatMap(({ response }, index) =>
    drawableTerms(
      terms.filter((row) => row.response === response),
      means.filter((row) => row.response === response),
    )
      .slice(0, MAX_PAIRS)
      .map((cells, rank) => interactionChart(part, response, cells, `interaction-${index + 1}-${rank + 1}`)),
  );
  if (charts.length === 0) {
    return absentSection(
      'interactions',
      TITLE,
      'No interaction of two factors could be estimated.',
      'Interactions need a design that crosses factors (method: full-factorial) and replicates.',
    );
  }
  return {
    id: 'interactions',
    title: TITLE,
    charts,
    body: html`<p>Means at every combination of two factors, evenly over the levels of the others, with intervals that are not adjusted for their number. Lines that are not parallel mean that one factor's effect depends on the other. For each objective the ${MAX_PAIRS} interactions that explain most are drawn; simple-effects.csv has all.</p>
${figures(charts)}`,
  };
}

/** The cells of each interaction, the largest first, with the factor of more levels along the axis. */
function drawableTerms(terms: readonly ResultRow[], means: readonly ResultRow[]): ResultRow[][] {
  const pairs = groupBy(means, ({ factor, given_factor }) => JSON.stringify([factor, given_factor]));
  return [...terms]
    .sort((a, b) => numberIn(a, 'rank') - numberIn(b, 'rank'))
    .flatMap(({ term }) => {
      const candidates = [...pairs.values()].filter(
        ([cell]) =>
          term === `${cell?.factor}:${cell?.given_factor}` || term === `${cell?.given_factor}:${cell?.factor}`,
      );
      const lines = (cells: readonly ResultRow[]) => new Set(cells.map(({ given_level }) => given_level)).size;
      const [best] = candidates.sort((a, b) => lines(a) - lines(b));
      return best === undefined || lines(best) > MAX_GROUPS ? [] : [best];
    });
}

function interactionChart(part: ReportPart, response: string, cells: readonly ResultRow[], id: string): Chart {
  const [first] = cells;
  const [a, b] = [String(first?.factor), String(first?.given_factor)];
  const isLog = first?.scale === 'log';
  const order = levelsInOrder(part, a);
  const inOrder = [...cells].sort(
    (one, other) => order.indexOf(String(one.level)) - order.indexOf(String(other.level)),
  );
  const points = inOrder.map((cell) => ({
    a: levelLabel(part, a, String(cell.level)),
    b: levelLabel(part, b, String(cell.given_level)),
    mean: numberIn(cell, 'mean'),
    lo: numberIn(cell, 'mean_lo'),
    hi: numberIn(cell, 'mean_hi'),
    n: numberIn(cell, 'n'),
  }));
  return {
    id,
    title: `${responseName(part, response)}: ${a} × ${b}`,
    spec: 'interaction',
    values: {
      xTitle: a,
      yTitle: `${responseLabel(part, response)}, ${isLog ? 'geometric ' : ''}mean`,
      ...axisOf(
        'y',
        points.flatMap(({ lo, hi }) => [lo, hi]),
      ),
      lines: levelsInOrder(part, b).map((level) => levelLabel(part, b, level)),
      lineTitle: b,
    },
    data: { cells: columnsOf(points) },
  };
}
