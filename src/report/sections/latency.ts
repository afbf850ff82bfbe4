import { LOAD_FACTORS } from '../../spec/index.ts';
import type { Cell } from '../../store/index.ts';
import { axisOf, type Chart, columnsOf } from '../charts/chart.ts';
import { groupBy } from '../group-by.ts';
import { html } from '../html/escape.ts';
import { levelLabel, levelsInOrder } from '../labels.ts';
import type { LatencyCurve, ReportPart } from '../types.ts';
import { absentSection, figures, type Section } from './section.ts';

type Row = Readonly<Record<string, Cell>>;

const PERCENTILES = ['p50', 'p95', 'p99'] as const;

/** Latency distributions from the histograms, and how percentiles move with the load: two pictures for each server configuration shown. */
export function latencySection(part: ReportPart): Section {
  const title = 'Latency distributions, and how they change with load';
  if (part.results === undefined) {
    return absentSection(
      'latency',
      title,
      'A plain table holds no histograms.',
      'Result folders of `dse run` keep the full histogram of every trial.',
    );
  }
  if (part.latencies.length === 0) {
    return absentSection(
      'latency',
      title,
      'No histogram of a usable trial was found.',
      'They stand in histograms/ of the result folder; copy that folder along with manifest.json and journal.jsonl.',
    );
  }
  const rows = new Map(part.results.rows.map((row) => [row.trial_id, row]));
  const servers = groupBy(part.latencies, ({ trialId }) => serverLabel(part, rows.get(trialId) ?? {}));
  const charts = [...servers].flatMap(([server, curves], index) => [
    distributionChart(part, server, curves, rows, `latency-${index + 1}`),
    ...loadChart(part, server, rows, `load-${index + 1}`),
  ]);
  const total = new Set(part.results.rows.map((row) => serverLabel(part, row))).size;
  return {
    id: 'latency',
    title,
    charts,
    body: html`<p>Latency counts from the intended send; timeouts count as the timeout. A curve ends at the highest percentile for which there were enough requests. Histograms of replicates are added up.</p>
${servers.size < total && html`<p class="note">Shown are ${servers.size} of ${total} server configurations, those with most points on the front first; histograms/ holds every trial's.</p>`}
${figures(charts, undefined, 'pairs')}`,
  };
}

/** Levels of everything but the load, of the factors that are varied. */
function serverLabel(part: ReportPart, row: Row): string {
  const factors = part.analysis.configurations.factors.filter((factor) => !LOAD_FACTORS.includes(factor));
  const words = factors.map((factor) => `${factor} ${levelLabel(part, factor, String(row[factor] ?? ''))}`);
  return words.length === 0 ? 'the server' : words.join(', ');
}

function distributionChart(
  part: ReportPart,
  server: string,
  curves: readonly LatencyCurve[],
  rows: ReadonlyMap<Cell, Row>,
  id: string,
): Chart {
  const points = curves.flatMap(({ trialId, requests, trials, points }) => {
    const load = loadLabel(part, rows.get(trialId) ?? {});
    return points.map(({ share, latencyMs }) => ({
      // Where the share stands between the nines: 1 for 90 %, 2 for 99 %.
      nines: -Math.log10(1 - share),
      percentile: `p${Number((share * 100).toPrecision(6))}`,
      latency: latencyMs,
      load,
      requests,
      trials,
    }));
  });
  return {
    id,
    title: `Latency distribution: ${server}`,
    spec: 'latency-distribution',
    values: {
      ...axisOf(
        'y',
        points.map(({ latency }) => latency),
      ),
      loads: loadsInOrder(
        part,
        points.map(({ load }) => load),
      ),
    },
    data: { curve: columnsOf(points) },
  };
}

/** Percentiles against the offered load; needs two loads with the first of the percentiles. */
function loadChart(part: ReportPart, server: string, rows: ReadonlyMap<Cell, Row>, id: string): Chart[] {
  const ofServer = [...rows.values()].filter(
    (row) => row.state === 'done' && row.verdict !== 'invalid' && serverLabel(part, row) === server,
  );
  const points = [...groupBy(ofServer, (row) => loadLabel(part, row))].flatMap(([load, replicates]) =>
    PERCENTILES.flatMap((percentile) => {
      const measured = replicates.flatMap((row) => {
        const [offered, latency] = [row.offered_rps, row[`latency_${percentile}_ms`]];
        return typeof offered === 'number' && typeof latency === 'number' ? [{ offered, latency }] : [];
      });
      return measured.map(({ offered, latency }) => ({ load, percentile, offered, latency }));
    }),
  );
  if (new Set(points.map(({ load }) => load)).size < 2) return [];
  return [
    {
      id,
      title: `Latency against load: ${server}`,
      spec: 'latency-load',
      values: axisOf(
        'y',
        points.map(({ latency }) => latency),
      ),
      data: { points: columnsOf(points) },
    },
  ];
}

/** Loads by the order of their levels, so that each has one colour everywhere. */
function loadsInOrder(part: ReportPart, found: readonly string[]): string[] {
  const [factor = 'load'] = LOAD_FACTORS;
  const written = levelsInOrder(part, factor).map((level) => levelLabel(part, factor, level));
  return [...new Set([...written, ...found])];
}

function loadLabel(part: ReportPart, row: Row): string {
  return LOAD_FACTORS.map((factor) => levelLabel(part, factor, String(row[factor] ?? ''))).join(' ');
}
