/** From tables of trials to fronts, correlations and summaries. Everything here is data in, data out. */
export { analyzeTable } from './analyze.ts';
export { correlate } from './correlation.ts';
export { describe } from './moments.ts';
export { findFront } from './pareto.ts';
export { levelsOf, tabulateCorrelations, tabulateFronts, tabulateSummaries } from './result-tables.ts';
export { type CellValue, createTableBuilder, type TableBuilder, tableFromRecords } from './table.ts';
export type * from './types.ts';
