import type { Chart } from '../charts/chart.ts';
import { type Html, html } from '../html/escape.ts';

/** One part of the page, and the pictures in it. */
export interface Section {
  /** Unique within the part of the page. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
  readonly charts: readonly Chart[];
}

/** A section without pictures. */
export function textSection(id: string, title: string, body: Html): Section {
  return { id, title, body, charts: [] };
}

/** A section that has nothing to show: says why, and how to get it. */
export function absentSection(id: string, title: string, why: string, how: string): Section {
  return textSection(id, title, html`<p class="absent">${why} <span class="how">${how}</span></p>`);
}

/** The place of a picture, its title and what a reader must know of it. */
export function figure({ id, title }: Chart, caption: Html | string = ''): Html {
  return html`<figure><figcaption><b>${title}.</b> ${caption}</figcaption><div class="chart" data-chart="${id}" role="img" aria-label="${title}"></div>
<details class="data" data-chart="${id}"><summary>Show the data</summary></details></figure>
`;
}

/** Pictures beside each other where there is room. @param layout - `pairs`: two that belong together stand in a row */
export function figures(
  charts: readonly Chart[],
  caption: (chart: Chart) => Html | string = () => '',
  layout: 'free' | 'pairs' = 'free',
): Html {
  return html`<div class="panels ${layout}">${charts.map((chart) => figure(chart, caption(chart)))}</div>`;
}

/** A column of a table on the page. */
export interface PageColumn {
  readonly header: string;
  readonly isNumber?: boolean;
}

/** A table that scrolls sideways where it is too wide. */
export function pageTable(
  columns: readonly PageColumn[],
  rows: Iterable<readonly (Html | string | number | undefined)[]>,
  caption = '',
): Html {
  const cell = (value: Html | string | number | undefined, index: number) =>
    html`<td${columns[index]?.isNumber === true ? html` class="n"` : ''}>${value ?? ''}</td>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption === '' ? 'table' : caption}"><table>${caption === '' ? '' : html`<caption>${caption}</caption>`}<thead><tr>${columns.map(
    ({ header, isNumber }) => html`<th scope="col"${isNumber === true ? html` class="n"` : ''}>${header}</th>`,
  )}</tr></thead><tbody>
${[...rows].map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>`;
}
