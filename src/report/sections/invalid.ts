import { type Cell, REASONS } from '../../store/index.ts';
import { groupBy } from '../group-by.ts';
import { html } from '../html/escape.ts';
import { countOf, levelLabel } from '../labels.ts';
import type { ReportPart } from '../types.ts';
import { pageTable, type Section, textSection } from './section.ts';

type Row = Readonly<Record<string, Cell>>;

const TITLE = 'Trials that do not count, and why';
/** Groups of more trials than this are folded. */
const MAX_OPEN = 20;

/** Every trial that failed or is invalid, under its first reason, with what to do about it. */
export function invalidSection(part: ReportPart): Section {
  const { results, analysis } = part;
  if (results === undefined) {
    const { failed, invalid } = analysis.counts;
    const none = failed + invalid === 0;
    return textSection(
      'invalid',
      TITLE,
      html`<p>${none ? 'Every row counts: the table calls none failed or invalid.' : `${countOf(failed + invalid, 'row')} of the table ${failed + invalid === 1 ? 'is' : 'are'} failed or invalid.`}</p>`,
    );
  }
  const out = results.rows.filter((row) => row.state !== 'done' || row.verdict === 'invalid');
  if (out.length === 0)
    return textSection('invalid', TITLE, html`<p>Every trial counts: none failed, none is invalid.</p>`);
  const groups = [...groupBy(out, mainReason)].sort(([, a], [, b]) => b.length - a.length);
  return textSection(
    'invalid',
    TITLE,
    html`<p>${countOf(out.length, 'trial')} of ${results.rows.length} ${out.length === 1 ? 'is' : 'are'} kept out of every front and every mean; their figures stay in trials.csv.</p>
${groups.map(
  ([
    reason,
    rows,
  ]) => html`<details${rows.length <= MAX_OPEN && html` open`}><summary><b>${reason}</b>: ${countOf(rows.length, 'trial')}. ${adviceFor(reason)}</summary>
${pageTable(
  [
    { header: 'run order', isNumber: true },
    { header: 'replicate', isNumber: true },
    { header: 'configuration' },
    { header: 'why' },
    { header: 'trial' },
  ],
  rows.map((row) => [
    cell(row.run_order),
    cell(row.replicate),
    analysis.configurations.factors
      .map((factor) => `${factor} ${levelLabel(part, factor, String(row[factor] ?? ''))}`)
      .join(', '),
    cell(row.reasons),
    html`<code>${cell(row.trial_id).slice(0, 10)}</code>`,
  ]),
  `Trials with ${reason}`,
)}</details>
`,
)}`,
  );
}

function cell(value: Cell): string {
  return value === undefined ? '' : String(value);
}

/** The first reason that alone makes a trial invalid, or that it failed. */
function mainReason({ state, reasons }: Row): string {
  if (state !== 'done') return 'failed';
  const codes = Object.entries(REASONS)
    .filter(([, { weight }]) => weight === 'invalid')
    .map(([code]) => code);
  return codes.find((code) => `; ${reasons}`.includes(`; ${code}: `)) ?? 'invalid';
}

function adviceFor(reason: string): string {
  if (reason === 'failed') return "Look into the server's log in logs/; the same dse run tries failed trials again.";
  return Object.entries(REASONS).find(([code]) => code === reason)?.[1].advice ?? '';
}
