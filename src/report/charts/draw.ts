import type { ChartSpecs } from '../types.ts';
import { type Chart, chartRows } from './chart.ts';
import { compileForFile } from './compile.ts';

/** Width of a character over the font size, mean over Latin text in Arial; wide enough for labels not to collide. */
const CHARACTER_WIDTH = 0.54;

/** The chart as an SVG file for papers and slides: dark on white, the same on every machine. */
export async function drawSvg(chart: Chart, specs: ChartSpecs): Promise<string> {
  const vega = await import('vega');
  const { parse, View } = vega;
  // The library offers it, but its types do not say so.
  const { textMetrics } = vega as unknown as { textMetrics: TextMetrics };
  const view = new View(parse(await compileForFile(chart, specs)), { renderer: 'none' });
  for (const [name, columns] of Object.entries(chart.data)) view.data(name, chartRows(columns));
  const svg = await withTextWidths(textMetrics, () => view.toSVG());
  view.finalize();
  return svg;
}

interface TextMetrics {
  width: (item: { fontSize?: number }, text: unknown) => number;
}

/** Without a canvas, Vega takes characters to be 0.8 of the font size wide, which leaves axes and legends half empty. */
async function withTextWidths<T>(metrics: TextMetrics, work: () => Promise<T>): Promise<T> {
  const before = metrics.width;
  metrics.width = ({ fontSize = 11 }, text) => String(text ?? '').length * fontSize * CHARACTER_WIDTH;
  try {
    return await work();
  } finally {
    metrics.width = before;
  }
}
