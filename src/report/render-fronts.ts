import type { Analysis } from '../analysis/index.ts';
import type { Results } from '../store/index.ts';
import { type FrontView, viewFront } from './front-view.ts';
import { remarksOn } from './remarks.ts';
import { renderMarkdownTable, renderTextTable } from './text-table.ts';

/** A terminal is no place for a long list; the files hold all of it. */
const MAX_ROWS = 30;

/**
 * The overall front as a table for a terminal, with the sentences a reader must know beside it. Ends with a line end.
 *
 * @param results - the folders whose rows were analysed, in the order in which they were analysed; none for a plain table
 */
export function renderFronts(analysis: Analysis, results: readonly Results[]): string {
  const { title, columns, rows } = viewFront(analysis, results);
  const shown = rows.slice(0, MAX_ROWS);
  return paragraphs([
    title,
    rows.length > 0 && renderTextTable(columns, shown),
    rows.length > shown.length && `... and ${rows.length - shown.length} more, all in pareto.csv.`,
    [...remarksOn(analysis, results), ...noteOtherFronts(analysis)].join('\n'),
  ]);
}

/** The same in Markdown, with every row. */
export function renderFrontsMarkdown(analysis: Analysis, results: readonly Results[]): string {
  const { title, columns, rows }: FrontView = viewFront(analysis, results);
  return paragraphs([
    `### ${title}`,
    rows.length > 0 && renderMarkdownTable(columns, rows),
    remarksOn(analysis, results)
      .map((remark) => `- ${remark}`)
      .join('\n'),
  ]);
}

function noteOtherFronts({ fronts }: Analysis): string[] {
  const others = fronts.filter(({ name }) => name !== 'all').length;
  return others === 0
    ? []
    : [`The ${others === 1 ? 'front' : `${others} fronts`} by context ${others === 1 ? 'is' : 'are'} in pareto.csv.`];
}

function paragraphs(parts: readonly (string | false)[]): string {
  return `${parts.filter((part) => part !== false && part !== '').join('\n\n')}\n`;
}
