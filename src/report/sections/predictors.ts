import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { html } from '../html/escape.ts';
import { frontLabel, responseLabel } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

const TITLE = 'Which cheap metric predicts';
/** Served responses that are shown besides the objectives; the file has every response. */
const MAIN_RESPONSES: readonly string[] = [
  'latency_mean_ms',
  'latency_p50_ms',
  'latency_p95_ms',
  'latency_p99_ms',
  'throughput_ips',
  'energy_per_inference_j',
  'cpu_util',
  'memory_peak_mb',
];

/** How well figures that are cheap to have tell the served responses: a heat map over all configurations, and a table of the objectives. */
export function predictorsSection(part: ReportPart): Section {
  const objectives = new Set(part.analysis.options.objectives.map(({ response }) => response));
  const wanted = new Set([...objectives, ...MAIN_RESPONSES]);
  const rows = resultRows(part, 'predictors.csv', (row) => wanted.has(String(row.response))) ?? [];
  const known = rows.filter((row) => !Number.isNaN(numberIn(row, 'spearman')));
  if (known.length === 0) {
    const why = rows.map(({ empty_because }) => empty_because).find((reason) => reason !== undefined);
    return absentSection(
      'predictors',
      TITLE,
      why === undefined
        ? 'No multiply-adds, parameters, bare latency or capacity stand beside the responses.'
        : `Nothing can be correlated: ${why}.`,
      'Measure three or more models or variants, or configurations that differ in capacity.',
    );
  }
  const overall = known.filter(({ context }) => context === 'all');
  const charts = overall.length === 0 ? [] : [heatMap(part, overall, [...wanted])];
  return {
    id: 'predictors',
    title: TITLE,
    charts,
    body: html`<p>Spearman's rank correlation of what is cheaper to have than a trial under load (figures of the model itself, of a single inference, of one closed loop) with what was served: 1 or −1 means that it tells the order of the configurations. Those that share the value of a metric, as all of one model share its multiply-adds, are one point, so few models are few points, and say little. predictors.csv adds Pearson and Kendall.</p>
${figures(charts)}
<details><summary>The objectives in figures</summary>${pageTable(
      [
        { header: 'objective' },
        { header: 'metric' },
        { header: 'within' },
        { header: 'points', isNumber: true },
        { header: 'Spearman' },
        { header: 'p', isNumber: true },
      ],
      known
        .filter(({ response }) => objectives.has(String(response)))
        .map((row) => [
          responseLabel(part, String(row.response)),
          responseLabel(part, String(row.predictor)),
          frontLabel(part, String(row.context)),
          numberIn(row, 'n'),
          withInterval(row),
          pWords(numberIn(row, 'spearman_p')),
        ]),
      'What tells each objective',
    )}</details>`,
  };
}

function heatMap(part: ReportPart, rows: readonly ResultRow[], responses: readonly string[]): Chart {
  const ordered = responses.flatMap((response) => rows.filter((row) => row.response === response));
  const cells = ordered.map((row) => ({
    metric: String(row.predictor),
    response: responseLabel(part, String(row.response)),
    value: numberIn(row, 'spearman'),
    text: numberIn(row, 'spearman').toFixed(2),
    lo: orNull(numberIn(row, 'spearman_lo')),
    hi: orNull(numberIn(row, 'spearman_hi')),
    p: orNull(numberIn(row, 'spearman_p')),
    n: numberIn(row, 'n'),
    configurations: numberIn(row, 'configurations'),
  }));
  return {
    id: 'predictors-1',
    title: 'Rank correlation of cheap metrics with served responses',
    spec: 'predictors',
    values: {
      angle: new Set(cells.map(({ metric }) => metric)).size <= 2 ? 0 : -30,
      height: rowsHeight(new Set(cells.map(({ response }) => response)).size),
    },
    data: { cells: columnsOf(cells) },
  };
}

function withInterval(row: ResultRow): string {
  const [value, lo, hi] = ['spearman', 'spearman_lo', 'spearman_hi'].map((name) => numberIn(row, name).toFixed(2));
  return Number.isNaN(numberIn(row, 'spearman_lo')) ? `${value}` : `${value} (${lo} to ${hi})`;
}

function pWords(p: number): string {
  if (Number.isNaN(p)) return '';
  return p < 0.001 ? '< 0.001' : formatNumber(Number(p.toPrecision(2)));
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
