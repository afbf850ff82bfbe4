import { COLUMNS } from '../../store/index.ts';
import { html } from '../html/escape.ts';
import { pageTable, type Section, textSection } from './section.ts';

/** Every column of trials.csv with its unit and meaning: the catalogue that the README prints too. */
export function dictionarySection(): Section {
  return textSection(
    'dictionary',
    'Data dictionary',
    html`<p>Columns of trials.csv; one column for each factor stands between <code>reasons</code> and the responses. A value that was not measured is empty, never 0.</p>
<details><summary>All ${COLUMNS.length} columns</summary>
${pageTable(
  [{ header: 'column' }, { header: 'unit' }, { header: 'meaning' }],
  COLUMNS.map(({ name, unit, description }) => [html`<code>${name}</code>`, unit, description]),
)}</details>`,
  );
}
