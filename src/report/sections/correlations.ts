import type { Correlation } from '../../analysis/index.ts';
import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { html } from '../html/escape.ts';
import { levelLabel, responseLabel } from '../labels.ts';
import type { ReportPart } from '../types.ts';
import { consistencyTables } from './consistency.ts';
import { absentSection, figures, type Section } from './section.ts';

/** Besides the objectives, these tell most; the file has every response. */
const MAIN_RESPONSES = [
  'latency_mean_ms',
  'latency_p50_ms',
  'latency_p95_ms',
  'latency_p99_ms',
  'throughput_ips',
  'goodput_rps',
  'capacity_rps',
  'energy_per_inference_j',
  'energy_net_per_inference_j',
  'cpu_util',
  'memory_peak_mb',
  'accuracy_top1',
];
/** Pairs of levels that stand beside each other in one picture; more need a matrix for each response. */
const MAX_PAIRS = 10;

/** How alike responses behave at the levels of every context, as heat maps of Spearman's coefficient. */
export function correlationsSection(part: ReportPart): Section {
  const { correlations, options } = part.analysis;
  const wanted = new Set([...options.objectives.map(({ response }) => response), ...MAIN_RESPONSES]);
  const shown = correlations.filter(({ response, outcome }) => wanted.has(response) && !('reason' in outcome));
  if (shown.length === 0) {
    const why = correlations.find(({ outcome }) => 'reason' in outcome)?.outcome;
    return absentSection(
      'correlations',
      'Does it carry over: correlations',
      options.contexts.length === 0
        ? 'No context was named, so there is nothing to correlate.'
        : `No correlation could be computed${why !== undefined && 'reason' in why ? `: ${why.reason}` : ''}.`,
      options.contexts.length === 0
        ? 'Name the factors that make up the environment under contexts: in the spec, or with --context.'
        : 'Measure more configurations at every level of the context.',
    );
  }
  const charts = options.contexts.flatMap((context, index) =>
    heatMaps(
      part,
      context,
      shown.filter((correlation) => correlation.context === context),
      `correlations-${index + 1}`,
    ),
  );
  return {
    id: 'correlations',
    title: 'Does it carry over: correlations',
    charts,
    body: html`<p>Spearman's rank correlation of each response between two levels of a context, over the configurations that agree in all other factors: 1 means that the order of the configurations carries over. correlations.csv adds Pearson and Kendall with their p-values.</p>
${figures(charts)}
${consistencyTables(part)}`,
  };
}

function heatMaps(part: ReportPart, context: string, correlations: readonly Correlation[], id: string): Chart[] {
  if (correlations.length === 0) return [];
  const pairs = new Set(correlations.map(({ a, b }) => JSON.stringify([a, b])));
  const level = (name: string) => levelLabel(part, context, name);
  if (pairs.size <= MAX_PAIRS) {
    return [
      heatMap(
        id,
        `Rank correlation between levels of ${context}`,
        correlations.map((correlation) => ({
          ...cellOf(correlation),
          x: `${level(correlation.a)} – ${level(correlation.b)}`,
          y: responseLabel(part, correlation.response),
        })),
      ),
    ];
  }
  return part.analysis.options.objectives.flatMap(({ response }, index) => {
    const ofResponse = correlations.filter((correlation) => correlation.response === response);
    if (ofResponse.length === 0) return [];
    const cells = ofResponse.flatMap((correlation) => {
      const [a, b] = [level(correlation.a), level(correlation.b)];
      return [
        { ...cellOf(correlation), x: a, y: b },
        { ...cellOf(correlation), x: b, y: a },
      ];
    });
    return [heatMap(`${id}-${index + 1}`, `Rank correlation of ${responseLabel(part, response)} by ${context}`, cells)];
  });
}

function cellOf({ n, outcome }: Correlation) {
  if ('reason' in outcome) throw new TypeError('a correlation without coefficients has no cell');
  const { pearson, spearman, kendall } = outcome;
  return {
    value: spearman.value,
    text: spearman.value.toFixed(2),
    n,
    p: spearman.p,
    pearson: pearson.value,
    kendall: kendall.value,
  };
}

function heatMap(id: string, title: string, cells: Parameters<typeof columnsOf>[0]): Chart {
  return {
    id,
    title,
    spec: 'correlations',
    values: {
      angle: cells.length > 0 && new Set(cells.map(({ x }) => x)).size <= 3 ? 0 : -30,
      height: rowsHeight(new Set(cells.map(({ y }) => y)).size),
    },
    data: { cells: columnsOf(cells) },
  };
}
