/** From tables of trials to fronts, correlations and summaries. Everything here is data in, data out. */

export { analyzeTable } from './analyze.ts';
export { describeText } from './check-table.ts';
export {
  type Change,
  type ComparedResponse,
  type ComparedSide,
  type Comparison,
  compareRuns,
} from './comparison.ts';
export { correlate } from './correlation.ts';
export { correlationTime, type Dependence } from './correlation-time.ts';
export type { ResponseEffects, TermTest } from './effects.ts';
export { tabulateFronts } from './front-tables.ts';
export type { FrontDetail } from './front-uncertainty.ts';
export {
  type IntervalOptions,
  type IntervalOutcome,
  type Intervals,
  intervalsOverReplicates,
  intervalsWithinTrial,
  leastRequests,
  requestsForPrecision,
  type Statistic,
} from './intervals.ts';
export type { LevelMean } from './level-means.ts';
export { checkLittlesLaw, type LittlesLaw } from './littles-law.ts';
export { describe, type Moments } from './moments.ts';
export { type OrderEffect, type OrderedTrials, testOrderEffect } from './order-effect.ts';
export { findFront } from './pareto.ts';
export { type Candidate, type Recommendation, recommend } from './recommend.ts';
export { RESULT_TABLES, tabulateCorrelations, tabulateSummaries } from './result-tables.ts';
export { minimumSample } from './sample-size.ts';
export {
  type Drift,
  findSteadyStart,
  type Scale,
  type SteadyState,
  type SteadyStateOptions,
  testDrift,
} from './steady-state.ts';
export { type CellValue, createTableBuilder, type TableBuilder, tableFromRecords } from './table.ts';
export { levelsOf } from './table-cells.ts';
export type * from './types.ts';
