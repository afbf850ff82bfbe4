import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { html } from '../html/escape.ts';
import { countOf, levelLabel, responseLabel } from '../labels.ts';
import { numberIn, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, type Section } from './section.ts';

const TITLE = 'What a neighbour costs';
const FACTOR = 'colocated';
/** Lines that can be read in one picture. */
const MAX_LINES = 24;

/** How much slower a configuration gets beside each neighbour, with intervals. */
export function neighboursSection(part: ReportPart): Section {
  const { configurations, options } = part.analysis;
  if (!configurations.factors.includes(FACTOR)) {
    return absentSection(
      'neighbours',
      TITLE,
      'No neighbour was varied.',
      'Add the factor colocated with the level none and a neighbour to the spec.',
    );
  }
  const wanted = new Set(options.objectives.map(({ response }) => response));
  const rows =
    resultRows(
      part,
      'interference.csv',
      (row) => wanted.has(String(row.response)) && !Number.isNaN(numberIn(row, 'slowdown')),
    ) ?? [];
  if (rows.length === 0) {
    return absentSection(
      'neighbours',
      TITLE,
      'No configuration has valid trials both alone and beside a neighbour.',
      'Give colocated the level none, and look above for why trials do not count.',
    );
  }
  const charts = options.objectives.flatMap(({ response }, index): Chart[] => {
    const lines = rows.filter((row) => row.response === response).slice(0, MAX_LINES);
    if (lines.length === 0) return [];
    const points = lines.map((row) => ({
      configuration: configurations.factors
        .filter((factor) => factor !== FACTOR && factor in row)
        .map((factor) => levelLabel(part, factor, String(row[factor] ?? '')))
        .join(' · '),
      neighbour: String(row.neighbour),
      slowdown: numberIn(row, 'slowdown'),
      lo: orNull(numberIn(row, 'slowdown_lo')),
      hi: orNull(numberIn(row, 'slowdown_hi')),
    }));
    return [
      {
        id: `neighbours-${index + 1}`,
        title: `Slowdown in ${responseLabel(part, response)} beside a neighbour`,
        spec: 'neighbours',
        values: { height: rowsHeight(new Set(points.map(({ configuration }) => configuration)).size) },
        data: { lines: columnsOf(points) },
      },
    ];
  });
  return {
    id: 'neighbours',
    title: TITLE,
    charts,
    body: html`<p>How much worse a configuration is beside a neighbour than alone: 1 is no difference, 2 is twice as slow or half as much. Intervals are Fieller's for a ratio of means. ${countOf(rows.length, 'comparison')}; interference.csv has all.</p>
${figures(charts, undefined, 'pairs')}`,
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
