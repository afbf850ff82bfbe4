import { renderLatexTable } from './latex-table.ts';
import { renderMarkdownTable, renderTextTable, type TextColumn } from './text-table.ts';

/** A table with its title, and what a reader must know beside it. */
export interface TableView {
  readonly title: string;
  readonly columns: readonly TextColumn[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences. */
  readonly remarks: readonly string[];
  /** File that holds all rows, for a place where few fit. */
  readonly file: string;
}

/** A table as text that ends with a line end. */
export type Renderer = (view: TableView) => string;

/** A terminal is no place for a long list; the files hold all of it. */
const MAX_ROWS = 30;

const renderText: Renderer = ({ title, columns, rows, remarks, file }) => {
  const shown = rows.slice(0, MAX_ROWS);
  return paragraphs([
    title,
    rows.length > 0 && renderTextTable(columns, shown),
    rows.length > shown.length && `... and ${rows.length - shown.length} more, all in ${file}.`,
    remarks.join('\n'),
  ]);
};

const renderMarkdown: Renderer = ({ title, columns, rows, remarks }) =>
  paragraphs([
    `### ${title}`,
    rows.length > 0 && renderMarkdownTable(columns, rows),
    remarks.map((remark) => `- ${remark}`).join('\n'),
  ]);

const renderLatex: Renderer = ({ title, columns, rows, remarks }) => renderLatexTable(title, columns, rows, remarks);

/** Every way a table can be written for people, by the name that `--format` takes. */
export const RENDERERS = {
  text: renderText,
  markdown: renderMarkdown,
  latex: renderLatex,
} as const satisfies Readonly<Record<string, Renderer>>;

export type TableFormat = keyof typeof RENDERERS;

function paragraphs(parts: readonly (string | false)[]): string {
  return `${parts.filter((part) => part !== false && part !== '').join('\n\n')}\n`;
}
