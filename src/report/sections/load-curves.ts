import { axisOf, type Chart, columnsOf } from '../charts/chart.ts';
import { MAX_GROUPS } from '../charts/theme.ts';
import { groupBy } from '../group-by.ts';
import { type Html, html } from '../html/escape.ts';
import { countOf, joinWords, levelLabel, responseLabel, sortByLevels } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

const TITLE = 'Load curves and their knee';
/** Curves in the table; the file has every one. */
const MAX_ROWS = 40;
/** Shown where no latency is an objective. */
const USUAL = 'latency_mean_ms';

/** One server configuration at its loads, in the order of its throughput. */
interface LoadCurve {
  readonly label: string;
  readonly rows: readonly [ResultRow, ...ResultRow[]];
  readonly knee: ResultRow | undefined;
}

/** Latency against throughput of each server configuration by load, and the load beyond which latency grows more than throughput. */
export function loadCurvesSection(part: ReportPart): Section {
  const rows = resultRows(part, 'load-curves.csv') ?? [];
  if (rows.length === 0) {
    return absentSection(
      'load-curves',
      TITLE,
      'No server configuration has latency and throughput at two loads.',
      'Give the factor load three levels or more; from three on a curve has a knee.',
    );
  }
  const pictures = responsesOf(part, rows).map((response, index) => {
    const curves = curvesOf(
      part,
      rows.filter((row) => row.response === response),
    );
    return { response, curves, chart: loadChart(part, response, curves.slice(0, MAX_GROUPS), `curve-${index + 1}`) };
  });
  const held = heldIn(part);
  const total = pictures[0]?.curves.length ?? 0;
  return {
    id: 'load-curves',
    title: TITLE,
    charts: pictures.map(({ chart }) => chart),
    body: html`<p>A line joins the loads of a server configuration by their throughput. It is a load curve where all of them are open loops or all are closed ones; the clients of a closed loop wait for their answers before they send again, so it may answer more, and sooner, than an open loop does. The knee, ringed, is the load at which throughput over latency is greatest (Kleinrock 1979): beyond it latency grows by a larger share than throughput does. It is one of the loads that were measured, so more loads place it better; a curve of two has none, and neither has one that mixes open and closed loops. Means of replicates.</p>
${figures(
  pictures.map(({ chart }) => chart),
  () =>
    `${held.length === 0 ? '' : `A line for each ${joinWords(held)}. `}${total > MAX_GROUPS ? `Shown are the first ${MAX_GROUPS} of ${countOf(total, 'server configuration')}; load-curves.csv has all.` : ''}`,
)}
${pictures.map(({ response, curves }) => kneeTable(part, response, curves))}`,
  };
}

/** The latencies among the objectives; where there are none, the mean, or else the first that was measured. */
function responsesOf({ analysis }: ReportPart, rows: readonly ResultRow[]): string[] {
  const found = [...new Set(rows.map(({ response }) => String(response)))];
  const objectives = analysis.options.objectives.map(({ response }) => response).filter((one) => found.includes(one));
  return objectives.length > 0 ? objectives : [found.includes(USUAL) ? USUAL : (found[0] as string)];
}

function heldIn({ analysis: { configurations } }: ReportPart): string[] {
  return configurations.factors.filter((name) => name !== 'load');
}

function curvesOf(part: ReportPart, rows: readonly ResultRow[]): LoadCurve[] {
  const held = heldIn(part);
  const groups = groupBy(rows, (row) => JSON.stringify(held.map((name) => row[name])));
  const curves = [...groups.values()].flatMap((points): LoadCurve[] => {
    const [first, ...rest] = points;
    if (first === undefined) return [];
    const label = held.map((name) => levelLabel(part, name, String(first[name] ?? ''))).join(' · ');
    const knee = points.find(({ is_knee }) => is_knee === true);
    return [{ label: label === '' ? 'the server' : label, rows: [first, ...rest], knee }];
  });
  return sortByLevels(part, held, curves, ({ rows: [first] }, name) => String(first[name] ?? ''));
}

function loadChart(part: ReportPart, response: string, curves: readonly LoadCurve[], id: string): Chart {
  const points = curves.flatMap(({ label, rows, knee }) =>
    rows.map((row, order) => ({
      curve: label,
      order,
      load: levelLabel(part, 'load', String(row.load ?? '')),
      throughput: numberIn(row, 'throughput'),
      latency: numberIn(row, 'latency'),
      knee: row === knee,
    })),
  );
  return {
    id,
    title: `${responseLabel(part, response)} against throughput`,
    spec: 'load-curves',
    values: {
      curves: curves.map(({ label }) => label),
      legend: curves.length === 1 ? null : { title: null, columns: 1, symbolLimit: MAX_GROUPS },
      xTitle: throughputLabel(part),
      yTitle: responseLabel(part, response),
      ...axisOf(
        'x',
        points.map(({ throughput }) => throughput),
      ),
      ...axisOf(
        'y',
        points.map(({ latency }) => latency),
      ),
    },
    data: { points: columnsOf(points) },
  };
}

/** As the analysis chose it. */
function throughputLabel(part: ReportPart): string {
  return responseLabel(part, part.analysis.means.has('achieved_rps') ? 'achieved_rps' : 'throughput_ips');
}

function kneeTable(part: ReportPart, response: string, curves: readonly LoadCurve[]): Html {
  const held = heldIn(part);
  return pageTable(
    [
      ...held.map((header) => ({ header })),
      { header: 'loads', isNumber: true },
      { header: 'knee at load' },
      { header: throughputLabel(part), isNumber: true },
      { header: responseLabel(part, response), isNumber: true },
    ],
    curves
      .slice(0, MAX_ROWS)
      .map(({ rows, knee }) => [
        ...held.map((name) => levelLabel(part, name, String(rows[0][name] ?? ''))),
        rows.length,
        knee === undefined ? 'none: fewer than three loads' : levelLabel(part, 'load', String(knee.load)),
        ...['throughput', 'latency'].map((name) => (knee === undefined ? '' : formatNumber(numberIn(knee, name)))),
      ]),
    `Knees of ${responseLabel(part, response)}${curves.length > MAX_ROWS ? `: the first ${MAX_ROWS} of ${curves.length} curves` : ''}`,
  );
}
