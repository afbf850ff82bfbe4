import stringWidth from 'string-width';

/** One column of a table for people. */
export interface TextColumn {
  /** Lines of the header, e.g. the name and the unit. */
  readonly header: readonly string[];
  readonly align: 'left' | 'right';
}

const GAP = '  ';
const MAX_HEADER_WIDTH = 16;

/**
 * A table of columns aligned by the width that characters take on a terminal; long names break after an underscore.
 *
 * @param rows - cells in the order of the columns
 */
export function renderTextTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const headers = columns.map(({ header: [name = '', ...rest] }) => [...breakName(name), ...rest]);
  const headerLines = Math.max(0, ...headers.map((lines) => lines.length));
  const widths = headers.map((lines, index) =>
    Math.max(...lines.map((line) => stringWidth(line)), ...rows.map((row) => stringWidth(row[index] ?? ''))),
  );
  const renderLine = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] as number, align))
      .join(GAP)
      .trimEnd();
  return [
    // The last line of each header stands on the rule, however many lines it has.
    ...Array.from({ length: headerLines }, (_, line) =>
      renderLine(headers.map((lines) => lines[line - headerLines + lines.length] ?? '')),
    ),
    widths.map((width) => '-'.repeat(width)).join(GAP),
    ...rows.map(renderLine),
  ].join('\n');
}

/** A table in GitHub's Markdown. */
export function renderMarkdownTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const renderLine = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [
    `| ${columns.map(({ header }) => header.map(escapeMarkdown).join('<br>')).join(' | ')} |`,
    `| ${columns.map(({ align }) => (align === 'right' ? '---:' : '---')).join(' | ')} |`,
    ...rows.map(renderLine),
  ].join('\n');
}

function pad(text: string, width: number, align: TextColumn['align']): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? text + space : space + text;
}

/** "energy_per_inference_j" -> ["energy_per_", "inference_j"]. */
function breakName(name: string): string[] {
  const lines: string[] = [];
  for (const part of name.match(/[^_]*_+|[^_]+/g) ?? ['']) {
    const current = lines.at(-1);
    if (current !== undefined && stringWidth(current + part) <= MAX_HEADER_WIDTH)
      lines[lines.length - 1] = current + part;
    else lines.push(part);
  }
  return lines;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\|*_`<>]/g, '\\$&').replaceAll('\n', ' ');
}
