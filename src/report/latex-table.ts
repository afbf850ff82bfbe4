import type { TextColumn } from './text-table.ts';

/** A table for a paper: needs the package `booktabs`. What must be said beside it stands below it in small print. */
export function renderLatexTable(
  title: string,
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  remarks: readonly string[],
): string {
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`;
  const header = columns.map(({ header: lines }) => {
    const [first = '', ...rest] = lines.map(escapeLatex);
    return rest.length === 0 ? first : `\\shortstack{${[first, ...rest].join(' \\\\ ')}}`;
  });
  return `${[
    '% Needs \\usepackage{booktabs}.',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escapeLatex(title)}}`,
    `  \\begin{tabular}{${columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('')}}`,
    '    \\toprule',
    line(header),
    '    \\midrule',
    ...rows.map((row) => line(columns.map((_, index) => escapeLatex(row[index] ?? '')))),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...remarks.map((remark) => `  \\par\\footnotesize ${escapeLatex(remark)}`),
    '\\end{table}',
  ].join('\n')}\n`;
}

/** Lines to copy, as they are, and what must be said of them. */
export function renderLatexListings(
  listings: readonly { readonly title: string; readonly text: string }[],
  notes: readonly string[],
): string[] {
  return [
    ...listings.map(({ title, text }) =>
      [`\\paragraph{${escapeLatex(title)}}`, '\\begin{verbatim}', text.trimEnd(), '\\end{verbatim}', ''].join('\n'),
    ),
    ...notes.map((note) => `${escapeLatex(note)}\n`),
  ];
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '&': '\\&',
  '%': '\\%',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '\n': ' ',
};

function escapeLatex(text: string): string {
  return text.replaceAll(/[\\{}&%$#_~^<>\n]/g, (character) => LATEX[character] as string);
}
