import { createHash } from 'node:crypto';
import { type Chapter, chartsOf, OVERVIEW, type Report } from '../chapters.ts';
import type { Chart, ChartColumn } from '../charts/chart.ts';
import { compileForPage } from '../charts/compile.ts';
import { countOf, hasEstimates, joinWords } from '../labels.ts';
import type { Section } from '../sections/section.ts';
import type { ChartSpecs, ReportPart } from '../types.ts';
import { Html, html, scriptJson } from './escape.ts';

/** What the page is made of besides its data. */
export interface PageAssets {
  readonly specs: ChartSpecs;
  readonly style: string;
  /** Run in this order: the drawing library, its interpreter, and what links the pictures. */
  readonly scripts: readonly string[];
}

/** The report as one HTML page that needs nothing from anywhere: library, data and style are in it, and its policy forbids every connection. */
export async function renderPage(report: Report, assets: PageAssets, dseVersion: string): Promise<string> {
  const { overview, chapters } = report;
  const title = joinWords(chapters.map(({ part }) => part.name));
  const data = await pageData(chartsOf(report), assets.specs);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyFor(assets.scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="dse ${dseVersion}">
<title>${title}: dse report</title>
<style>${new Html(assets.style)}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<p class="kicker">dse report</p>
<h1>${title}</h1>
${chapters.map(({ part }) => html`<p class="meta">${partMeta(part)}</p>`)}
${contents(chapters, overview)}
</header>
<main id="main">
${overview.map(
  (section) => html`<div class="part" data-part="${OVERVIEW}">${renderSection(section, OVERVIEW, 'h2')}</div>`,
)}
${chapters.map(
  ({ key, part, sections }) => html`<div class="part" data-part="${key}">
${chapters.length > 1 && html`<h2 id="${key}">${part.name} <span class="meta">${part.source}</span></h2>`}
${sections.map((section) => renderSection(section, key, chapters.length > 1 ? 'h3' : 'h2'))}
</div>`,
)}
</main>
<footer>Made by dse ${dseVersion}. This page holds everything it shows and asks nothing of any server.</footer>
<div class="tip" role="status" hidden></div>
<script type="application/json" id="report-data">${scriptJson(data)}</script>
${assets.scripts.map((script) => html`<script>${new Html(script)}</script>\n`)}</body>
</html>
`.text;
}

/** Where it was measured, when, and what weakens all of it. */
function partMeta(part: ReportPart): string {
  const { results, analysis, source } = part;
  const trials = `${countOf(analysis.counts.rows, results === undefined ? 'row' : 'trial')}, ${countOf(analysis.configurations.count, 'configuration')}`;
  if (results === undefined) return `${source}: ${trials}`;
  const { manifest, rows } = results;
  const hosts = [...new Set(rows.map(({ host }) => String(host)))];
  const energy = hasEstimates(part) ? '; energy is an estimate' : '';
  return `${source}: ${trials}, measured on ${joinWords(hosts)} from ${manifest.createdAt.slice(0, 10)}${energy}`;
}

function contents(chapters: readonly Chapter[], overview: readonly Section[]): Html {
  const link = (href: string, title: string) => html`<li><a href="#${href}">${title}</a></li>`;
  return html`<nav aria-label="Contents">${overview.map(({ id, title }) => html`<ol>${link(`${OVERVIEW}-${id}`, title)}</ol>`)}${chapters.map(
    ({ key, part, sections }) => {
      const list = html`<ol>${sections.map(({ id, title }) => link(`${key}-${id}`, title))}</ol>`;
      return chapters.length === 1
        ? list
        : html`<details><summary>${part.name} (${part.source})</summary>${list}</details>`;
    },
  )}</nav>`;
}

function renderSection({ id, title, body }: Section, key: string, heading: 'h2' | 'h3'): Html {
  const name = new Html(heading);
  return html`<section class="block" id="${key}-${id}" aria-labelledby="${key}-${id}-title">
<${name} id="${key}-${id}-title">${title}</${name}>
${body}
</section>
`;
}

/** Nothing may be fetched, nothing sent, and no script but the page's own may run. */
function policyFor(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  return `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** Charts by key, and every column of data once, however many charts draw from it. */
async function pageData(charts: readonly { readonly key: string; readonly chart: Chart }[], specs: ChartSpecs) {
  const columns: ChartColumn[] = [];
  const placeOf = new Map<ChartColumn, number>();
  const placed = (column: ChartColumn) => {
    const known = placeOf.get(column) ?? columns.push(column) - 1;
    placeOf.set(column, known);
    return known;
  };
  const compiled: Record<string, unknown> = {};
  for (const { key, chart } of charts) {
    compiled[`${key}-${chart.id}`] = {
      spec: await compileForPage(chart, specs),
      data: mapValues(chart.data, (fields) => mapValues(fields, placed)),
    };
  }
  return { charts: compiled, columns: columns.map((column) => column.map(roundCell)) };
}

/** Six digits are more than any picture or tooltip shows; whole numbers, such as times, stay whole. */
function roundCell(value: ChartColumn[number]): ChartColumn[number] {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
