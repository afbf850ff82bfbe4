import { axisOf, type Chart, columnsOf } from '../charts/chart.ts';
import { MAX_GROUPS } from '../charts/theme.ts';
import { groupBy } from '../group-by.ts';
import { type Html, html } from '../html/escape.ts';
import { joinWords, levelLabel, responseLabel, sortByLevels } from '../labels.ts';
import { formatNumber } from '../numbers.ts';
import { numberIn, type ResultRow, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, pageTable, type Section } from './section.ts';

const TITLE = 'Scaling: what more threads or CPUs bring';
/** The laws are drawn as curves through so many amounts. */
const LAW_POINTS = 25;
/** Curves in the table; the file has every one. */
const MAX_ROWS = 40;

/** One curve: its points in the order of the amount, and what tells it from others. */
interface Curve {
  readonly label: string;
  readonly rows: readonly [ResultRow, ...ResultRow[]];
}

/** Maximum throughput against threads, quota and other amounts, with the laws of Amdahl and Gunther. */
export function scalingSection(part: ReportPart): Section {
  const all = resultRows(part, 'scaling.csv') ?? [];
  // An open loop is answered as much as it asks for; only where no capacity was measured is its throughput all there is.
  const ofCapacity = all.filter(({ response }) => response === 'capacity_rps');
  const rows = ofCapacity.length > 0 ? ofCapacity : all;
  if (rows.length === 0) {
    return absentSection(
      'scaling',
      TITLE,
      'No throughput was measured at two amounts of anything.',
      'Vary threads, cpus or instances: two levels give a speedup, three the law of how it ends.',
    );
  }
  const factors = [...groupBy(rows, ({ factor }) => String(factor))].map(([factor, ofFactor], index) => {
    const curves = curvesOf(part, factor, ofFactor);
    const id = `scaling-${index + 1}`;
    return { curves, factor, chart: scalingChart(part, factor, curves.slice(0, MAX_GROUPS), id) };
  });
  const isCapacity = ofCapacity.length > 0;
  return {
    id: 'scaling',
    title: TITLE,
    charts: factors.map(({ chart }) => chart),
    body: html`<p>${
      isCapacity
        ? 'The most that a configuration answered, found once for all of its loads.'
        : 'Capacity was not measured, so this is what was answered: it says how a server scales only where the load was a closed loop, or more than it could answer.'
    } Drawn lines are the universal scalability law (Gunther 2007), dashed ones Amdahl's, fitted by least squares to all trials.</p>
${figures(
  factors.map(({ chart }) => chart),
  (chart) =>
    captionOf(
      part,
      factors.find((one) => one.chart === chart),
    ),
)}
${factors.map(({ factor, curves }) => lawTable(part, factor, curves))}`,
  };
}

/** The curves of a factor, those of a capacity at one load only. */
function curvesOf(part: ReportPart, factor: string, rows: readonly ResultRow[]): Curve[] {
  const held = heldBy(part, factor);
  const seen = new Set<string>();
  const all = groupBy(rows, (row) => JSON.stringify(part.analysis.options.factors.map((name) => row[`at_${name}`])));
  const curves = [...all.values()].flatMap((points): Curve[] => {
    const [first, ...rest] = points;
    if (first === undefined) return [];
    const label = held.map((name) => levelLabel(part, name, String(first[`at_${name}`] ?? ''))).join(' · ');
    const key = first.response === 'capacity_rps' ? label : JSON.stringify([label, first.at_load]);
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ label: label === '' ? 'all' : label, rows: [first, ...rest] }];
  });
  return sortByLevels(part, held, curves, ({ rows: [first] }, name) => String(first[`at_${name}`] ?? ''));
}

/** Factors that are held along a curve. The load is none of a capacity's. */
function heldBy({ analysis: { configurations } }: ReportPart, factor: string): string[] {
  return configurations.factors.filter((name) => name !== factor && name !== 'load');
}

function captionOf(part: ReportPart, found: { factor: string; curves: readonly Curve[] } | undefined): string {
  if (found === undefined) return '';
  const held = heldBy(part, found.factor);
  const lines = held.length === 0 ? '' : `A line for each ${joinWords(held)}.`;
  const { length } = found.curves;
  return length <= MAX_GROUPS
    ? lines
    : `${lines} Shown are the first ${MAX_GROUPS} of ${length} curves; scaling.csv has all.`;
}

function scalingChart(part: ReportPart, factor: string, curves: readonly Curve[], id: string): Chart {
  const response = String(curves[0]?.rows[0].response);
  const points = curves.flatMap(({ label, rows }) =>
    rows.map((row) => ({
      curve: label,
      amount: numberIn(row, 'amount'),
      throughput: numberIn(row, 'mean'),
      speedup: numberIn(row, 'speedup'),
      efficiency: numberIn(row, 'efficiency'),
      n: numberIn(row, 'n'),
    })),
  );
  const laws = curves.flatMap(({ label, rows }) => lawPoints(label, rows));
  return {
    id,
    title: `${responseLabel(part, response)} against ${factor}`,
    spec: 'scaling',
    values: {
      curves: curves.map(({ label }) => label),
      legend: curves.length === 1 ? null : { title: null, columns: 1, symbolLimit: MAX_GROUPS },
      xTitle: factor,
      yTitle: responseLabel(part, response),
      amounts: [...new Set(points.map(({ amount }) => amount))].sort((a, b) => a - b),
      ...axisOf(
        'y',
        [...points, ...laws].map(({ throughput }) => throughput),
      ),
    },
    data: { points: columnsOf(points), laws: columnsOf(laws) },
  };
}

/** Both laws between the smallest and the largest amount measured. */
function lawPoints(label: string, rows: Curve['rows']) {
  const [from, to] = [numberIn(rows[0], 'amount'), numberIn(rows[rows.length - 1] as ResultRow, 'amount')];
  const [row] = rows;
  const laws = [
    { law: "Amdahl's", atOne: numberIn(row, 'amdahl_at_one'), a: numberIn(row, 'amdahl_serial'), b: 0 },
    {
      law: 'universal scalability',
      atOne: numberIn(row, 'usl_at_one'),
      a: numberIn(row, 'usl_contention'),
      b: numberIn(row, 'usl_coherency'),
    },
  ];
  return laws.flatMap(({ law, atOne, a, b }) =>
    Array.from({ length: LAW_POINTS }, (_, step) => {
      const amount = from + ((to - from) * step) / (LAW_POINTS - 1);
      const throughput = (atOne * amount) / (1 + a * (amount - 1) + b * amount * (amount - 1));
      return { curve: label, law, amount, throughput };
    }).filter(({ throughput }) => throughput > 0 && Number.isFinite(throughput)),
  );
}

function lawTable(part: ReportPart, factor: string, curves: readonly Curve[]): Html {
  return pageTable(
    [
      ...heldBy(part, factor).map((header) => ({ header })),
      { header: 'amounts' },
      { header: 'speedup at the most', isNumber: true },
      { header: 'efficiency there', isNumber: true },
      { header: 'Amdahl: serial share' },
      { header: 'contention' },
      { header: 'coherency' },
      { header: 'greatest at', isNumber: true },
    ],
    curves.slice(0, MAX_ROWS).map(({ rows }) => {
      const [first] = rows;
      const last = rows[rows.length - 1] as ResultRow;
      return [
        ...heldBy(part, factor).map((name) => levelLabel(part, name, String(first[`at_${name}`] ?? ''))),
        rows.map(({ amount }) => amount).join(', '),
        formatNumber(numberIn(last, 'speedup')),
        `${formatNumber(100 * numberIn(last, 'efficiency'))} %`,
        ...['amdahl_serial', 'usl_contention', 'usl_coherency'].map((name) => withInterval(first, name)),
        figure(numberIn(first, 'usl_peak')),
      ];
    }),
    `Scaling with ${factor}${curves.length > MAX_ROWS ? `: the first ${MAX_ROWS} of ${curves.length} curves` : ''}`,
  );
}

function withInterval(row: ResultRow, name: string): string {
  const [lo, hi] = [figure(numberIn(row, `${name}_lo`)), figure(numberIn(row, `${name}_hi`))];
  return `${figure(numberIn(row, name))}${lo === '' || hi === '' ? '' : ` (${lo} to ${hi})`}`;
}

function figure(value: number): string {
  return Number.isNaN(value) ? '' : formatNumber(Number(value.toPrecision(3)));
}
