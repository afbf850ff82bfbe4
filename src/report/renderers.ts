import { renderLatexListings, renderLatexTable } from './latex-table.ts';
import { renderMarkdownTable, renderTextTable, type TextColumn } from './text-table.ts';

/** A table with its title, and what a reader must know beside it. */
export interface TableView {
  readonly title: string;
  readonly columns: readonly TextColumn[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences. */
  readonly remarks: readonly string[];
  /** File that holds all rows, for a place where few fit. Where there is none, all are shown. */
  readonly file?: string;
  /** Further tables below the first, those without rows left out. */
  readonly more?: readonly Pick<TableView, 'title' | 'columns' | 'rows'>[];
  /** Lines to copy, each under what they are for. */
  readonly listings?: readonly { readonly title: string; readonly text: string }[];
  /** Sentences on the listings. */
  readonly notes?: readonly string[];
}

/** A table as text that ends with a line end. */
export type Renderer = (view: TableView) => string;

/** A terminal is no place for a long list; the files hold all of it. */
const MAX_ROWS = 30;

const renderText: Renderer = ({ title, columns, rows, remarks, file, more = [], listings = [], notes = [] }) => {
  const shown = file === undefined ? rows : rows.slice(0, MAX_ROWS);
  return paragraphs([
    title,
    rows.length > 0 && renderTextTable(columns, shown),
    rows.length > shown.length && `... and ${rows.length - shown.length} more, all in ${file}.`,
    ...filled(more).map((table) => `${table.title}:\n${renderTextTable(table.columns, table.rows)}`),
    remarks.join('\n'),
    ...listings.map((listing) => `${listing.title}:\n\n${indent(listing.text)}`),
    notes.join('\n'),
  ]);
};

const renderMarkdown: Renderer = ({ title, columns, rows, remarks, more = [], listings = [], notes = [] }) => {
  const list = (sentences: readonly string[]) => sentences.map((sentence) => `- ${sentence}`).join('\n');
  return paragraphs([
    `### ${title}`,
    rows.length > 0 && renderMarkdownTable(columns, rows),
    ...filled(more).map((table) => `**${table.title}**\n\n${renderMarkdownTable(table.columns, table.rows)}`),
    list(remarks),
    ...listings.map((listing) => `${listing.title}:\n\n${indent(listing.text)}`),
    list(notes),
  ]);
};

const renderLatex: Renderer = ({ title, columns, rows, remarks, more = [], listings = [], notes = [] }) =>
  [
    renderLatexTable(title, columns, rows, remarks),
    ...filled(more).map((table) => renderLatexTable(table.title, table.columns, table.rows, [])),
    ...renderLatexListings(listings, notes),
  ].join('\n');

/** Every way a table can be written for people, by the name that `--format` takes. */
export const RENDERERS = {
  text: renderText,
  markdown: renderMarkdown,
  latex: renderLatex,
} as const satisfies Readonly<Record<string, Renderer>>;

export type TableFormat = keyof typeof RENDERERS;

function filled(tables: NonNullable<TableView['more']>): NonNullable<TableView['more']> {
  return tables.filter(({ rows }) => rows.length > 0);
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function paragraphs(parts: readonly (string | false)[]): string {
  return `${parts.filter((part) => part !== false && part !== '').join('\n\n')}\n`;
}
