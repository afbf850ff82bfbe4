import type { Analysis } from '../analysis/index.ts';
import type { Results } from '../store/index.ts';
import { viewFront } from './front-view.ts';
import { remarksOn } from './remarks.ts';
import { RENDERERS, type TableFormat } from './renderers.ts';

/**
 * The overall front as a table for people, with the sentences a reader must know beside it. Ends with a line end.
 *
 * @param results - the folders whose rows were analysed, in the order in which they were analysed; none for a plain table
 */
export function renderFronts(analysis: Analysis, results: readonly Results[], format: TableFormat = 'text'): string {
  const remarks = [...remarksOn(analysis, results), ...(format === 'text' ? noteOtherFronts(analysis) : [])];
  return RENDERERS[format]({ ...viewFront(analysis, results), remarks, file: 'pareto.csv' });
}

/** How many fronts there are beside the overall one, and by which factors. */
function noteOtherFronts({ fronts }: Analysis): string[] {
  const others = fronts.filter(({ name }) => name !== 'all').map(({ name }) => name.slice(0, name.indexOf('=')));
  if (others.length === 0) return [];
  const factors = [...new Set(others)].join(' and by ');
  return [
    `The ${others.length === 1 ? 'front' : `${others.length} fronts`} by ${factors} ${others.length === 1 ? 'is' : 'are'} in pareto.csv.`,
  ];
}
