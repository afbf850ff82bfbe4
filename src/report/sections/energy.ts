import { type Chart, columnsOf, rowsHeight } from '../charts/chart.ts';
import { html } from '../html/escape.ts';
import { countOf, hasEstimates, shortLabel } from '../labels.ts';
import type { Points } from '../points.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, figures, type Section } from './section.ts';

/** Bars that can be read in one picture. */
const MAX_BARS = 20;

/** What an inference costs in joules, split into the idle machine's share and what is drawn above it. */
export function energySection(part: ReportPart, points: Points): Section {
  const title = hasEstimates(part) ? 'Energy breakdown (estimate)' : 'Energy breakdown';
  const { results, analysis } = part;
  const [gross, net] = ['energy_per_inference_j', 'energy_net_per_inference_j'].map((name) => analysis.means.get(name));
  const usable = points.shown.filter(
    (configuration) =>
      !Number.isNaN(gross?.[configuration] ?? Number.NaN) && !Number.isNaN(net?.[configuration] ?? Number.NaN),
  );
  if (usable.length === 0 || gross === undefined || net === undefined) {
    return absentSection(
      'energy',
      title,
      'No configuration has both energy_per_inference_j and energy_net_per_inference_j.',
      '`dse doctor` says what opens an energy counter on this machine; energy: { source: estimate } computes an estimate instead.',
    );
  }
  const onFront = usable.filter((configuration) => points.onFront[points.shown.indexOf(configuration)]);
  const shown = (onFront.length > 1 ? onFront : usable).slice(0, MAX_BARS);
  const bars = shown.flatMap((configuration) => {
    const [ofGross, ofNet] = [gross[configuration] as number, net[configuration] as number];
    const base = { configuration: shortLabel(part, configuration), gross: ofGross };
    return [
      { ...base, part: 'above idle', joules: ofNet, order: 0 },
      { ...base, part: 'idle', joules: ofGross - ofNet, order: 1 },
    ];
  });
  const chart: Chart = {
    id: 'energy',
    title: hasEstimates(part) ? 'Energy per inference (estimate)' : 'Energy per inference',
    spec: 'energy',
    values: {
      height: rowsHeight(shown.length),
      xTitle: hasEstimates(part) ? 'J per inference (estimate)' : 'J per inference',
      yTitle: analysis.configurations.factors.join(' · '),
    },
    data: { bars: columnsOf(bars) },
  };
  const sources = [...new Set(results?.rows.flatMap(({ energy_source }) => energy_source ?? []))];
  const idle = results?.idlePower ?? [];
  return {
    id: 'energy',
    title,
    charts: [chart],
    body: html`<p>Source: ${sources.length > 0 ? sources.join(', ') : 'not told'}.${
      hasEstimates(part) &&
      ' These joules are an estimate: computed from CPU time by a linear model with stated parameters, not measured.'
    } Energy is the whole machine's, the load generator included.${idle.length > 0 && ` ${idleWords(part)}`}</p>
${usable.length > shown.length && html`<p class="note">Shown are ${shown.length} of ${countOf(usable.length, 'configuration')}, ${onFront.length > 1 ? 'those on the front' : 'the first ones'}; trials.csv holds all.</p>`}
${figures([chart])}`,
  };
}

function idleWords({ results }: ReportPart): string {
  const all = results?.idlePower ?? [];
  const idle = all.filter(({ disturbedBecause }) => disturbedBecause === undefined);
  if (idle.length === 0) return 'Idle power is not known: others used the machine whenever it was measured.';
  const watts = idle.map(({ powerW }) => powerW);
  const kind = idle.every(({ isEstimate }) => isEstimate)
    ? 'estimated'
    : idle.some(({ isEstimate }) => isEstimate)
      ? 'measured in part and estimated in part'
      : 'measured';
  const [low, high] = [Math.min(...watts), Math.max(...watts)].map((value) => value.toFixed(2));
  return `Idle power was ${kind} before ${countOf(idle.length, 'block')}: ${low === high ? low : `${low} to ${high}`} W.${
    idle.length < all.length
      ? ` ${countOf(all.length - idle.length, 'measurement')} of it did not count, because others used the machine meanwhile.`
      : ''
  }`;
}
