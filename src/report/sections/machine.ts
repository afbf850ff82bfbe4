import { html } from '../html/escape.ts';
import type { ReportPart } from '../types.ts';
import { absentSection, pageTable, type Section, textSection } from './section.ts';

/** What measured: every machine, and every state of one, that took part. */
export function machineSection({ results }: ReportPart): Section {
  if (results === undefined) {
    return absentSection(
      'machine',
      'The machine',
      'A plain table does not name the machine.',
      'Result folders of `dse run` hold its fingerprint.',
    );
  }
  const { machines } = results.manifest;
  return textSection(
    'machine',
    machines.length === 1 ? 'The machine' : 'The machines',
    html`${machines.map(
      ({ host, facts }, index) =>
        html`${pageTable(
          [{ header: 'fact' }, { header: 'value' }, { header: 'why it matters' }],
          Object.entries(facts).map(([name, { value, why }]) => [
            name,
            value === null ? 'not told by this machine' : String(value),
            why,
          ]),
          `${host}${machines.length > 1 ? ` (fingerprint ${index + 1} of ${machines.length})` : ''}`,
        )}`,
    )}`,
  );
}
