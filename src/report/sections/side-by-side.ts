import type { Objective } from '../../spec/index.ts';
import { axisOf, type Chart } from '../charts/chart.ts';
import { MAX_GROUPS } from '../charts/theme.ts';
import { html } from '../html/escape.ts';
import { axisTitle, configurationLabel, hasEstimates, isEnergyResponse, responseName, valueLabel } from '../labels.ts';
import { overallFront } from '../points.ts';
import type { ReportPart } from '../types.ts';
import { figures, pageTable, type Section } from './section.ts';

/** Several result folders beside each other: their fronts in one picture where they may be compared, and the best of each in each objective. */
export function sideBySideSection(parts: readonly ReportPart[]): Section {
  const [x, y] = sharedObjectives(parts);
  const charts = x === undefined || y === undefined || parts.length > MAX_GROUPS ? [] : [overlayChart(parts, x, y)];
  return {
    id: 'side-by-side',
    title: 'Side by side',
    charts,
    body: html`<p>Each folder was analysed by itself. <code>dse compare</code> tests the difference between two of them.</p>
${charts.length > 0 ? figures(charts) : html`<p class="note">There is no common picture: ${whyNot(parts)}.</p>`}
${pageTable(
  [
    { header: 'folder' },
    { header: 'on the front', isNumber: true },
    { header: 'objective' },
    { header: 'best' },
    { header: 'configuration' },
  ],
  parts.flatMap((part) => {
    const front = overallFront(part);
    return part.analysis.options.objectives.map((objective, index) => {
      const best = bestOf(part, front, objective);
      return [
        index === 0 ? `${part.name} (${part.source})` : '',
        index === 0 ? front.length : '',
        `${objective.direction} ${responseName(part, objective.response)}`,
        best === undefined ? 'none' : valueLabel(part, objective.response, figureOf(part, objective, best)),
        best === undefined ? '' : configurationLabel(part, best),
      ];
    });
  }),
  'Best of each folder in each objective',
)}`,
  };
}

/** Objectives that all parts have, without energy where some of it was measured and some estimated: estimates never share a front with measurements. */
function sharedObjectives(parts: readonly ReportPart[]): Objective[] {
  const [first] = parts;
  const isMixed = new Set(parts.map(hasEstimates)).size > 1;
  return (first?.analysis.options.objectives ?? []).filter(
    ({ response, direction }) =>
      !(isMixed && isEnergyResponse(response)) &&
      parts.every(({ analysis }) =>
        analysis.options.objectives.some((other) => other.response === response && other.direction === direction),
      ),
  );
}

function whyNot(parts: readonly ReportPart[]): string {
  if (parts.length > MAX_GROUPS) return `${parts.length} folders are more than colours can tell apart`;
  return new Set(parts.map(hasEstimates)).size > 1
    ? 'energy is an estimate in some folders and measured in others, and they share fewer than two other objectives'
    : 'the folders share fewer than two objectives';
}

function overlayChart(parts: readonly ReportPart[], x: Objective, y: Objective): Chart {
  const points = parts.flatMap((part) =>
    overallFront(part).map((configuration) => ({
      folder: `${part.name} (${part.source})`,
      configuration: configurationLabel(part, configuration),
      x: figureOf(part, x, configuration),
      y: figureOf(part, y, configuration),
    })),
  );
  const column = (name: 'folder' | 'configuration' | 'x' | 'y') => points.map((point) => point[name]);
  const [first] = parts as readonly [ReportPart];
  return {
    id: 'side-by-side',
    title: `Fronts: ${responseName(first, y.response)} against ${responseName(first, x.response)}`,
    spec: 'side-by-side',
    values: {
      xTitle: axisTitle(first, x),
      yTitle: axisTitle(first, y),
      ...axisOf('x', column('x') as number[]),
      ...axisOf('y', column('y') as number[]),
    },
    data: {
      points: { folder: column('folder'), configuration: column('configuration'), x: column('x'), y: column('y') },
    },
  };
}

function figureOf({ analysis }: ReportPart, { response }: Objective, configuration: number): number {
  return analysis.means.get(response)?.[configuration] ?? Number.NaN;
}

function bestOf(part: ReportPart, front: readonly number[], objective: Objective): number | undefined {
  const sign = objective.direction === 'maximize' ? -1 : 1;
  const cost = (configuration: number) => sign * figureOf(part, objective, configuration);
  return front.length === 0 ? undefined : front.reduce((a, b) => (cost(b) < cost(a) ? b : a));
}
