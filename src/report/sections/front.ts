import { levelsOf } from '../../analysis/index.ts';
import type { Objective } from '../../spec/index.ts';
import { axisOf, type Chart } from '../charts/chart.ts';
import { type Html, html, scriptJson } from '../html/escape.ts';
import { axisTitle, levelLabel, levelsInOrder, responseLabel, responseName } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { groupValues, type Points, pointColumns } from '../points.ts';
import { numberIn, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

/** Pairs of objectives drawn at most; more than four objectives have more pairs than a page can hold. */
const MAX_PAIRS = 6;
/** Rows of the table of the front on the page; the file has all. */
const MAX_ROWS = 100;
/** Levels of a factor that one still finds in a list to choose from. */
const MAX_CHOICES = 200;

/** The front: a picture for every pair of objectives, linked by brushing, and the table they filter. */
export function frontSection(part: ReportPart, points: Points): Section {
  const { objectives } = part.analysis.options;
  if (points.shown.length === 0) {
    return absentSection(
      'front',
      'The front',
      'No configuration has all objectives and meets all constraints, so there is no front to draw.',
      'The remarks above and the column left_out_because of pareto.csv say why.',
    );
  }
  const pairs = pairsOf(objectives);
  const charts = pairs
    .slice(0, MAX_PAIRS)
    .map(([x, y], index) => frontChart(part, points, x, y, `front-${index + 1}`, objectives.length === 2));
  return {
    id: 'front',
    title: 'The front',
    charts,
    body: html`<p>Each point is a configuration, at the means over its replicates; filled points are on the front: no other configuration is at least as good in every objective and better in one. Draws repeat the comparison with all means moved within their uncertainty. Point at one to see its settings. Drag over an area, or choose levels below, and pictures and table show only what you chose.</p>
${points.note !== undefined && html`<p class="note">${points.note}</p>`}
${pairs.length > MAX_PAIRS && html`<p class="note">Shown are ${MAX_PAIRS} of the ${pairs.length} pairs of objectives.</p>`}
${filters(part)}
${figures(charts)}
${frontTable(part, points)}
<script type="application/json" class="configurations">${scriptJson(configurationData(part, points))}</script>`,
  };
}

/** A picture of two objectives. `onlyPair` draws the staircase of the front, which a picture of two among three objectives has not. */
function frontChart(
  part: ReportPart,
  points: Points,
  x: Objective,
  y: Objective,
  id: string,
  onlyPair: boolean,
): Chart {
  const [xs, ys] = [x, y].map(({ response }) => {
    const means = part.analysis.means.get(response) as Float64Array;
    return points.shown.map((configuration) => means[configuration] as number);
  }) as [number[], number[]];
  return {
    id,
    title: `${responseName(part, y.response)} against ${responseName(part, x.response)}`,
    spec: 'front',
    values: {
      xTitle: axisTitle(part, x),
      yTitle: axisTitle(part, y),
      ...axisOf('x', xs),
      ...axisOf('y', ys),
      step: x.direction === 'minimize' ? 'step-after' : 'step-before',
      stepOpacity: onlyPair ? 1 : 0,
      ...groupValues(points),
    },
    data: { points: { ...pointColumns(points), x: xs, y: ys } },
  };
}

function pairsOf<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}

/** Choices that do what a brush does, for keyboards and small screens. */
function filters(part: ReportPart): Html {
  const { configurations } = part.analysis;
  return html`<form class="filters" aria-label="Choose configurations">${configurations.factors.map((factor, index) => {
    const levels = levelsInOrder(part, factor);
    if (levels.length < 2 || levels.length > MAX_CHOICES) return undefined;
    return html`<label>${factor} <select name="${index}"><option value="">all</option>${levels.map(
      (level) =>
        html`<option value="${configurations.levels[index]?.indexOf(level)}">${levelLabel(part, factor, level)}</option>`,
    )}</select></label> `;
  })}<button type="reset">Show all</button> <output></output></form>`;
}

function frontTable(part: ReportPart, points: Points): Html {
  const { configurations, options, means } = part.analysis;
  const front = points.shown.filter((_, place) => points.onFront[place]);
  const columns = [
    ...configurations.factors.map((factor) => ({ header: factor })),
    ...options.objectives.map(({ response }) => ({ header: responseLabel(part, response), isNumber: true })),
    { header: 'trials', isNumber: true },
    { header: 'on the front' },
  ];
  const rows = front
    .slice(0, MAX_ROWS)
    .map((configuration) => [
      ...levelsOf(configurations, configuration).map((level, index) =>
        levelLabel(part, configurations.factors[index] as string, level),
      ),
      ...options.objectives.map(({ response }) => formatNumber(means.get(response)?.[configuration] as number)),
      replicatesOf(part, configuration),
      membership(part).get(configuration) ?? 'yes',
    ]);
  return html`<div class="chosen">${pageTable(columns, rows, 'Configurations on the front')}</div>
${front.length > MAX_ROWS && html`<p class="note">The table shows ${MAX_ROWS} of ${front.length}; pareto.csv holds all of them.</p>`}`;
}

function replicatesOf({ analysis: { configurations } }: ReportPart, configuration: number): number {
  return (configurations.offsets[configuration + 1] as number) - (configurations.offsets[configuration] as number);
}

const memberships = new WeakMap<ReportPart, ReadonlyMap<number, string>>();

/** Of each configuration: how often it is on the overall front when all means are drawn again within their uncertainty, and whether it is the knee. */
function membership(part: ReportPart): ReadonlyMap<number, string> {
  const known = memberships.get(part);
  if (known !== undefined) return known;
  // The table lists the configurations of a front in their order.
  const rows = resultRows(part, 'pareto.csv', ({ front }) => front === 'all') ?? [];
  const words = new Map(
    rows.map((row, configuration): [number, string] => {
      const probability = numberIn(row, 'p_on_front');
      const isOn = row.on_front === true ? 'yes' : 'no';
      const knee = row.is_knee === true ? ', knee' : '';
      if (Number.isNaN(probability)) return [configuration, `${isOn}${knee}`];
      const unsure = row.p_source === 'none' ? ', spread unknown' : '';
      const share = formatNumber(Math.round(probability * 1000) / 10);
      return [configuration, `${isOn}, in ${share} % of draws${unsure}${knee}`];
    }),
  );
  memberships.set(part, words);
  return words;
}

/** What the page needs to name and to filter the points shown. */
function configurationData(part: ReportPart, points: Points) {
  const { configurations, options, means } = part.analysis;
  return {
    maxRows: MAX_ROWS,
    factors: configurations.factors,
    levels: configurations.levels.map((levels, index) =>
      levels.map((level) => levelLabel(part, configurations.factors[index] as string, level)),
    ),
    codes: configurations.codes.map((codes) => points.shown.map((configuration) => codes[configuration])),
    objectives: options.objectives.map(({ response }) => ({
      name: responseLabel(part, response),
      values: points.shown.map((configuration) => means.get(response)?.[configuration] as number),
    })),
    trials: points.shown.map((configuration) => replicatesOf(part, configuration)),
    front: points.onFront.map(Number),
    membership: points.shown.map((configuration, place) => {
      const words = membership(part).get(configuration);
      return words ?? (points.onFront[place] ? 'yes' : 'no');
    }),
  };
}
