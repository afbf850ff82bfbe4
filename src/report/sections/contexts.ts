import { axisOf, type Chart } from '../charts/chart.ts';
import { html } from '../html/escape.ts';
import { axisTitle, frontLabel, joinWords } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { groupValues, type Points, pointColumns } from '../points.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

/** Small pictures side by side stop being comparable beyond this many. */
const MAX_PANELS = 12;

/** The front within every level of every context: the first two objectives on the same axes. */
export function contextsSection(part: ReportPart, points: Points): Section {
  const { fronts, options } = part.analysis;
  const ofContexts = fronts.filter(({ name }) => name !== 'all');
  const [x, y] = options.objectives;
  if (ofContexts.length === 0 || x === undefined || y === undefined || points.shown.length === 0) {
    return absentSection(
      'contexts',
      'Trade-off by context',
      ofContexts.length === 0
        ? 'No context was named, so there is one front only.'
        : 'A trade-off needs two objectives with values.',
      ofContexts.length === 0
        ? 'Name the factors that make up the environment under contexts: in the spec, or with --context.'
        : 'Name another with --minimize or --maximize.',
    );
  }
  const place = new Map(points.shown.map((configuration, index) => [configuration, index]));
  const [xs, ys] = [x, y].map(({ response }) => part.analysis.means.get(response) as Float64Array) as [
    Float64Array,
    Float64Array,
  ];
  const values = {
    xTitle: axisTitle(part, x),
    yTitle: axisTitle(part, y),
    ...axisOf(
      'x',
      points.shown.map((configuration) => xs[configuration] as number),
      true,
    ),
    ...axisOf(
      'y',
      points.shown.map((configuration) => ys[configuration] as number),
      true,
    ),
    step: x.direction === 'minimize' ? 'step-after' : 'step-before',
    stepOpacity: options.objectives.length === 2 ? 1 : 0,
  };
  const charts = ofContexts.slice(0, MAX_PANELS).map(({ name, members, onFront }, index): Chart => {
    const shown = [...members.keys()].filter((at) => place.has(members[at] as number));
    const ids = shown.map((at) => place.get(members[at] as number) as number);
    return {
      id: `context-${index + 1}`,
      title: frontLabel(part, name),
      spec: 'context-front',
      values: { ...values, ...groupValues(points, name.slice(0, name.indexOf('='))) },
      data: {
        points: {
          id: ids,
          front: shown.map((at) => onFront[at] === 1),
          group: ids.map((id) => pointColumns(points).group?.[id] ?? ''),
          x: shown.map((at) => xs[members[at] as number] as number),
          y: shown.map((at) => ys[members[at] as number] as number),
        },
      },
    };
  });
  return {
    id: 'contexts',
    title: 'Trade-off by context',
    charts,
    body: html`<p>One front for each level of ${joinWords(factorsOf(ofContexts))}: filled points are on the front of their own picture. All pictures have the same axes.</p>
${ofContexts.length > MAX_PANELS && html`<p class="note">Shown are ${MAX_PANELS} of ${ofContexts.length} fronts; pareto.csv holds all of them.</p>`}
${figures(charts)}
${pageTable(
  [
    { header: 'front' },
    { header: 'configurations', isNumber: true },
    { header: 'on it', isNumber: true },
    { header: 'on it in most draws', isNumber: true },
    { header: 'hypervolume' },
  ],
  (resultRows(part, 'fronts.csv') ?? []).map((row) => [
    frontLabel(part, String(row.front)),
    numberIn(row, 'configurations'),
    numberIn(row, 'on_front'),
    Number.isNaN(numberIn(row, 'on_robust_front')) ? '' : numberIn(row, 'on_robust_front'),
    hypervolumeWords(row),
  ]),
  'Size of every front',
)}`,
  };
}

/** The factors whose levels have fronts of their own. */
function factorsOf(fronts: readonly { readonly name: string }[]): string[] {
  return [...new Set(fronts.map(({ name }) => name.slice(0, name.indexOf('='))))];
}

/** Share of the box of all objectives that the front dominates, with its interval. */
function hypervolumeWords(row: ResultRow): string {
  const [value, lo, hi] = ['hypervolume', 'hypervolume_lo', 'hypervolume_hi'].map((name) => numberIn(row, name)) as [
    number,
    number,
    number,
  ];
  if (Number.isNaN(value)) return '';
  return `${formatNumber(value)}${Number.isNaN(lo) ? '' : ` (${formatNumber(lo)} to ${formatNumber(hi)})`}`;
}
