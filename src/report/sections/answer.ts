import { type Html, html } from '../html/escape.ts';
import { configurationLabel, countOf, joinWords, valueLabel } from '../labels.ts';
import { overallFront } from '../points.ts';
import { remarksOn } from '../remarks.ts';
import { numberIn, resultRows } from '../result-rows.ts';
import type { ReportPart } from '../types.ts';
import { type Section, textSection } from './section.ts';

/** The answer in two sentences, and what a reader must know beside it. */
export function answerSection(part: ReportPart): Section {
  const remarks = remarksOn(part.analysis, part.results === undefined ? [] : [part.results]);
  return textSection(
    'answer',
    'The answer',
    html`<p class="answer">${whichSentence(part)} ${howSureSentence(part)}</p>
${remarks.length > 0 && html`<ul class="remarks">${remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`}`,
  );
}

/** Which configurations are worth having: the best of each objective, and how many lie between. */
function whichSentence(part: ReportPart): Html {
  const { analysis } = part;
  const front = overallFront(part);
  const total = analysis.configurations.count;
  if (front.length === 0)
    return html`None of the ${countOf(total, 'configuration')} can be called worth having, because none has every objective and meets every constraint.`;
  const advice = [...bestOf(part, front)].map(
    ([configuration, wins], index) =>
      html`${index > 0 && '; '}for ${joinWords(wins)} take <b>${configurationLabel(part, configuration)}</b>`,
  );
  const others = front.length - advice.length;
  return html`${front.length === 1 ? 'One' : front.length} of ${countOf(total, 'configuration')} ${
    front.length === 1 ? 'is' : 'are'
  } worth having: ${advice}${others > 0 && `; ${others} more ${others === 1 ? 'lies' : 'lie'} between these`}.`;
}

/** The configurations that are best in an objective, with the objectives and the values. */
function bestOf(part: ReportPart, front: readonly number[]): Map<number, string[]> {
  const best = new Map<number, string[]>();
  for (const { response, direction } of part.analysis.options.objectives) {
    const values = part.analysis.means.get(response) as Float64Array;
    const sign = direction === 'maximize' ? -1 : 1;
    const winner = front.reduce((a, b) => (sign * ((values[b] as number) - (values[a] as number)) < 0 ? b : a));
    const words = `the ${direction === 'minimize' ? 'lowest' : 'highest'} ${response} (${valueLabel(part, response, values[winner] as number)})`;
    best.set(winner, [...(best.get(winner) ?? []), words]);
  }
  return best;
}

/** What the first sentence rests on. */
function howSureSentence(part: ReportPart): string {
  const { analysis, results } = part;
  const { offsets, count } = analysis.configurations;
  const { rows, used, failed, invalid } = analysis.counts;
  let once = 0;
  let measured = 0;
  for (let c = 0; c < count; c++) {
    const replicates = (offsets[c + 1] as number) - (offsets[c] as number);
    if (replicates > 0) measured++;
    if (replicates === 1) once++;
  }
  const lost = [...(failed > 0 ? [`${failed} failed`] : []), ...(invalid > 0 ? [`${invalid} invalid`] : [])];
  const basis = `It rests on ${used} of ${countOf(rows, results === undefined ? 'row' : 'trial')}${lost.length > 0 ? ` (${lost.join(', ')})` : ''}`;
  if (measured === 0) return `${basis}.`;
  const front = (resultRows(part, 'fronts.csv', ({ front: name }) => name === 'all') ?? [])[0];
  const robust = front === undefined ? Number.NaN : numberIn(front, 'on_robust_front');
  if (front !== undefined && !Number.isNaN(robust)) {
    const share = `${Number((100 * numberIn(front, 'robust_from')).toFixed(1))} %`;
    const size = numberIn(front, 'on_front');
    const single = once > 0 ? `, ${once} of ${countOf(measured, 'configuration')} with a single usable replicate` : '';
    return `${basis}${single}; when all means are drawn again within their uncertainty, ${
      size === 1 && robust === 1
        ? 'it stays'
        : `${robust} of ${countOf(numberIn(front, 'configurations'), 'configuration')} ${robust === 1 ? 'is' : 'are'}`
    } on the front in at least ${share} of ${numberIn(front, 'draws')} draws.`;
  }
  if (once === measured)
    return `${basis}, one for each configuration, so nothing tells how far a figure would move if it were measured again.`;
  if (once === 0) return `${basis}, with two or more replicates of every configuration.`;
  return `${basis}; ${once} of ${countOf(measured, 'configuration')} ${once === 1 ? 'has' : 'have'} a single usable replicate, which tells nothing about how far ${once === 1 ? 'its' : 'their'} figures would move.`;
}
