import type { Config } from 'vega-lite';

/** Colours a chart needs. Those of the page are variables, so that one picture serves light, dark and print. */
export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly paper: string;
  readonly accent: string;
  readonly warn: string;
  readonly bad: string;
  readonly categories: readonly string[];
  readonly font: string;
}

/** How many groups colours and shapes tell apart. */
export const MAX_GROUPS = 7;

export const PAGE_THEME: Theme = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  paper: 'var(--paper)',
  accent: 'var(--c1)',
  warn: 'var(--c2)',
  bad: 'var(--c6)',
  categories: Array.from({ length: MAX_GROUPS }, (_, index) => `var(--c${index + 1})`),
  font: 'system-ui, sans-serif',
};

/** For files: dark on white. Categories are those of Okabe and Ito (2008), yellow left out because it is lost on white. */
export const FILE_THEME: Theme = {
  ink: '#1a1a1a',
  muted: '#5f6670',
  grid: '#e3e6ea',
  paper: '#ffffff',
  accent: '#0072b2',
  warn: '#e69f00',
  bad: '#d55e00',
  categories: ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#555555'],
  font: 'Arial, Helvetica, DejaVu Sans Condensed, sans-serif',
};

/** Vega-Lite's settings for all charts. */
export function configOf({ ink, muted, grid, accent, categories, font, paper }: Theme): Config {
  return {
    background: paper === FILE_THEME.paper ? paper : 'transparent',
    font,
    view: { stroke: null },
    axis: {
      labelColor: ink,
      titleColor: muted,
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      gridColor: grid,
      domainColor: muted,
      tickColor: muted,
      labelLimit: 200,
      titleLimit: 360,
    },
    axisX: { titleAnchor: 'end' },
    axisY: { titleAngle: 0, titleAnchor: 'start', titleAlign: 'left', titleBaseline: 'bottom', titleX: 0, titleY: -8 },
    legend: {
      labelColor: ink,
      titleColor: muted,
      titleFontWeight: 'normal',
      orient: 'top',
      offset: 20,
      labelFontSize: 11,
      titleFontSize: 11,
      labelLimit: 260,
      symbolStrokeWidth: 1.5,
      symbolLimit: 12,
      columns: 3,
    },
    header: { labelColor: ink, titleColor: muted, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal' },
    title: { color: ink, fontSize: 12, anchor: 'start', fontWeight: 'bold' },
    range: { category: [...categories] },
    point: { color: accent },
    line: { color: accent },
    rule: { color: ink },
    text: { color: ink },
  };
}
