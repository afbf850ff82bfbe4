import type { ExperimentSpec, Load } from '../../spec/index.ts';
import { type Html, html } from '../html/escape.ts';
import { countOf, joinWords, levelLabel, levelsInOrder, responseLabel } from '../labels.ts';
import type { ReportPart } from '../types.ts';
import { pageTable, type Section, textSection } from './section.ts';

/** What was asked: the question, the factors with their levels, and what was held fixed. */
export function askedSection(part: ReportPart): Section {
  return textSection('asked', 'What was asked', html`${question(part)}${factors(part)}${conditions(part)}`);
}

function question(part: ReportPart): Html {
  const { objectives, contexts, constraints } = part.analysis.options;
  const wanted = objectives.map(
    ({ response, direction }) => `${direction === 'minimize' ? 'low' : 'high'} ${responseLabel(part, response)}`,
  );
  return html`<p>Which configurations give ${joinWords(wanted)}${
    constraints.length > 0 &&
    html`, among those with ${joinWords(constraints.map(({ response, relation, limit }) => `${response} ${relation === '<=' ? '≤' : '≥'} ${limit}`))}`
  }${contexts.length > 0 && html`, and does the answer carry over between the levels of ${joinWords(contexts)}`}?</p>`;
}

function factors(part: ReportPart): Html {
  const { configurations } = part.analysis;
  return pageTable(
    [{ header: 'factor' }, { header: 'levels' }],
    configurations.factors.map((factor) => [
      factor,
      levelsInOrder(part, factor)
        .map((level) => levelLabel(part, factor, level))
        .join(', '),
    ]),
    'Factors',
  );
}

function conditions({ results, analysis }: ReportPart): Html {
  const { rows } = analysis.counts;
  if (results === undefined)
    return html`<p>${countOf(rows, 'row')} of a plain table; what else was held fixed, it does not say.</p>`;
  const { spec } = results.manifest;
  const { design, exclude, fixed, loads } = spec;
  const held = Object.entries(fixed).map(([factor, { name }]) => `${factor} ${name}`);
  return html`<p>${designWords(spec)} ${countOf(rows, 'trial')} ${rows === 1 ? 'is' : 'are'} recorded, with ${countOf(
    design.replicates,
    'replicate',
  )} of each design point${design.replicates > 1 && ', each in a block of its own'}.${
    held.length > 0 && html` Held fixed: ${held.join(', ')}.`
  }</p>
<ul>${Object.entries(loads).map(([name, load]) => html`<li>load ${name}: ${loadWords(load)}</li>`)}${exclude.map(
    ({ when, why }) =>
      html`<li>left out where ${Object.entries(when)
        .map(([factor, levels]) => `${factor} is ${joinWords(levels, 'or')}`)
        .join(' and ')}: ${why}</li>`,
  )}</ul>`;
}

function designWords({ name, design }: ExperimentSpec): string {
  const { method, points, fraction, seed } = design;
  const size = points !== undefined ? ` of ${points} points` : fraction !== undefined ? ` (fraction ${fraction})` : '';
  return `Experiment "${name}": ${method} design${size}, order randomised within blocks from seed ${seed}.`;
}

function loadWords(load: Load): string {
  const pattern = 'pattern' in load && load.pattern !== undefined ? `, pattern ${load.pattern.kind}` : '';
  switch (load.kind) {
    case 'utilization':
      return `${Number((load.utilization * 100).toFixed(3))} % of the configuration's own capacity, open loop, ${load.arrivals} arrivals${pattern}`;
    case 'rate':
      return `${load.rateRps} requests/s, open loop, ${load.arrivals} arrivals${pattern}`;
    case 'concurrency':
      return `${load.concurrency} in flight, closed loop`;
  }
}
