import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { ChartSpecs } from '../types.ts';
import type { Chart } from './chart.ts';
import { configOf, FILE_THEME, PAGE_THEME, type Theme } from './theme.ts';

/** Width of a figure in a file, pixels at 96 dpi: half a page's text width. */
const FILE_WIDTH = 420;

/** The Vega spec of a chart for the page: as wide as its place, in the page's colours, without data. */
export function compileForPage(chart: Chart, specs: ChartSpecs): Promise<Spec> {
  const spec = fillSpec(chart, specs, PAGE_THEME) as Record<string, unknown>;
  return compileSpec({ ...spec, autosize: { type: 'fit-x', contains: 'padding' } }, PAGE_THEME);
}

/** The Vega spec of a chart for a file: of a fixed width, dark on white, without data. */
export function compileForFile(chart: Chart, specs: ChartSpecs): Promise<Spec> {
  const spec = fillSpec(chart, specs, FILE_THEME) as Record<string, unknown>;
  const width = spec.width === 'container' ? FILE_WIDTH : spec.width;
  return compileSpec({ ...spec, width, title: chart.title, padding: 8 }, FILE_THEME);
}

async function compileSpec(spec: unknown, theme: Theme): Promise<Spec> {
  // Loaded when the first chart is drawn, so that commands without charts start fast.
  const { compile } = await import('vega-lite');
  const messages: string[] = [];
  const note = (...said: readonly unknown[]) => {
    messages.push(said.join(' '));
    return logger;
  };
  const quiet = () => logger;
  const logger = { level: () => logger, warn: note, error: note, info: quiet, debug: quiet };
  // The compiler reports what it cannot draw as a warning and goes on without it; a chart that lacks something is worse than none.
  const { spec: compiled } = compile(spec as TopLevelSpec, { config: configOf(theme), logger: logger as never });
  if (messages.length > 0) throw new Error(`a chart spec does not fit its data: ${messages.join('; ')}`);
  return compiled;
}

/** The spec of a chart with its placeholders filled in; colours of the theme are placeholders too. */
function fillSpec({ spec, values }: Chart, specs: ChartSpecs, theme: Theme): unknown {
  const known: Readonly<Record<string, unknown>> = { ...theme, ...values };
  const fill = (node: unknown): unknown => {
    if (typeof node === 'string') {
      const [, name] = /^\{\{(\w+)\}\}$/.exec(node) ?? [];
      if (name === undefined) return node;
      if (!Object.hasOwn(known, name)) throw new Error(`chart spec "${spec}": nothing to fill in for {{${name}}}`);
      return known[name];
    }
    if (Array.isArray(node)) return node.map(fill);
    if (typeof node !== 'object' || node === null) return node;
    // What is to be filled in with nothing is left to Vega-Lite's own choice.
    const filled = Object.entries(node).map(([key, child]) => [key, fill(child)]);
    return Object.fromEntries(filled.filter(([, child]) => child !== undefined));
  };
  return fill(specs[spec]);
}
