import { levelsOf } from '../../analysis/index.ts';
import type { Cell } from '../../store/index.ts';
import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { groupBy } from '../group-by.ts';
import { html } from '../html/escape.ts';
import { countOf, levelLabel, responseLabel } from '../labels.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figure, type Section } from './section.ts';

type Row = Readonly<Record<string, Cell>>;

/** More trials than this are counted in stretches of time. */
const MAX_MARKS = 2000;
const STRETCHES = 200;
/** Points of the picture of drift; a thinner stretch of very many. */
const MAX_DRIFT_POINTS = 2000;

/** When every trial ran and what its verdict was, and whether the first objective drifted over the run. */
export function timelineSection(part: ReportPart): Section {
  const title = 'The run, trial by trial';
  if (part.results === undefined) {
    return absentSection(
      'timeline',
      title,
      'A plain table does not say when its rows were measured.',
      'Result folders of `dse run` do.',
    );
  }
  const { rows } = part.results;
  const isBinned = rows.length > MAX_MARKS;
  const charts = [isBinned ? countChart(rows) : trialChart(part, rows), ...driftChart(part, rows)];
  return {
    id: 'timeline',
    title,
    charts,
    body: html`<p>${verdictWords(rows)} Times are UTC.</p>
${isBinned && html`<p class="note">${rows.length} trials are counted in ${STRETCHES} equal stretches of time; trials.csv holds each.</p>`}
${charts.map((chart) => figure(chart, chart.spec === 'drift' ? driftCaption(rows.length) : ''))}`,
  };
}

function driftCaption(trials: number): string {
  const base = 'Each trial against the mean of its configuration: without drift the points lie about zero all along.';
  return trials > MAX_DRIFT_POINTS ? `${base} Shown is every ${Math.ceil(trials / MAX_DRIFT_POINTS)}th trial.` : base;
}

function verdictWords(rows: readonly Row[]): string {
  const counts = groupBy(rows, verdictOf);
  return `${countOf(rows.length, 'trial')}: ${[...counts].map(([verdict, trials]) => `${trials.length} ${verdict}`).join(', ')}.`;
}

function verdictOf(row: Row): string {
  return row.state === 'failed' ? 'failed' : String(row.verdict);
}

function startMs(row: Row): number {
  return Date.parse(String(row.started_at));
}

function trialChart(part: ReportPart, rows: readonly Row[]): Chart {
  const { factors } = part.analysis.configurations;
  return {
    id: 'timeline',
    title: 'Trials over time by verdict',
    spec: 'timeline',
    values: { height: rowsHeight(new Set(rows.map(verdictOf)).size) },
    data: {
      trials: columnsOf(
        rows.map((row) => ({
          start: startMs(row),
          end: startMs(row) + 1000 * Number(row.duration_s ?? 0),
          verdict: verdictOf(row),
          block: row.block ?? null,
          order: row.run_order ?? null,
          configuration: factors.map((factor) => levelLabel(part, factor, String(row[factor] ?? ''))).join(', '),
          reasons: row.reasons ?? '',
        })),
      ),
    },
  };
}

function countChart(rows: readonly Row[]): Chart {
  const starts = rows.map(startMs);
  const first = starts.reduce((a, b) => Math.min(a, b));
  const last = starts.reduce((a, b) => Math.max(a, b));
  const length = (last - first + 1) / STRETCHES;
  const counts = new Map<string, { start: number; end: number; verdict: string; trials: number }>();
  for (const [index, row] of rows.entries()) {
    const stretch = Math.floor(((starts[index] as number) - first) / length);
    const verdict = verdictOf(row);
    const key = `${stretch} ${verdict}`;
    const bin = counts.get(key) ?? {
      start: first + stretch * length,
      end: first + (stretch + 1) * length,
      verdict,
      trials: 0,
    };
    bin.trials++;
    counts.set(key, bin);
  }
  return {
    id: 'timeline',
    title: 'Trials over time by verdict, counted',
    spec: 'timeline-counts',
    values: {},
    data: { stretches: columnsOf([...counts.values()]) },
  };
}

/** Relative departure of each trial from its configuration's mean; needs replicates. */
function driftChart(part: ReportPart, rows: readonly Row[]): Chart[] {
  const { configurations, means, options } = part.analysis;
  const [objective] = options.objectives;
  const values = objective && means.get(objective.response);
  if (objective === undefined || values === undefined) return [];
  const byLevels = new Map<string, number>();
  for (let c = 0; c < configurations.count; c++) {
    const replicates = (configurations.offsets[c + 1] as number) - (configurations.offsets[c] as number);
    if (replicates > 1) byLevels.set(JSON.stringify(levelsOf(configurations, c)), c);
  }
  const every = Math.ceil(rows.length / MAX_DRIFT_POINTS);
  const points = rows.flatMap((row, index) => {
    const value = row[objective.response];
    if (index % every !== 0 || typeof value !== 'number' || row.verdict === 'invalid') return [];
    const key = JSON.stringify(configurations.factors.map((factor) => String(row[factor] ?? '')));
    const configuration = byLevels.get(key);
    const mean = configuration === undefined ? Number.NaN : (values[configuration] as number);
    if (configuration === undefined || Number.isNaN(mean) || mean === 0) return [];
    return [
      { start: startMs(row), departure: value / mean - 1, verdict: verdictOf(row), order: row.run_order ?? null },
    ];
  });
  if (points.length < 3) return [];
  return [
    {
      id: 'drift',
      title: `Drift of ${responseLabel(part, objective.response)} over the run`,
      spec: 'drift',
      values: {},
      data: { points: columnsOf(points) },
    },
  ];
}
