import type { Constraint, Objective } from '../spec/types.ts';
import type { Dependence } from './correlation-time.ts';
import type { ResponseEffects } from './effects.ts';
import type { FrontDetail } from './front-uncertainty.ts';
import type { MeanSampler } from './mean-sampler.ts';

export type { Constraint } from '../spec/types.ts';

/** One column of a table. An empty cell is NaN among numbers and -1 among codes. Numbers are finite. */
export type Column =
  | { readonly kind: 'number'; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly codes: Int32Array; readonly levels: readonly string[] };

/** A table by columns, so that a million rows stay a few typed arrays. */
export interface Table {
  readonly rowCount: number;
  /** Column names in their order. */
  readonly names: readonly string[];
  readonly columns: ReadonlyMap<string, Column>;
}

/** What is asked of a table. */
export interface AnalysisOptions {
  /** Columns whose combination makes a configuration; rows that agree in all of them are replicates. */
  readonly factors: readonly string[];
  readonly objectives: readonly Objective[];
  /** Factors that make up the environment: one front per value of each, and correlations between its values. */
  readonly contexts: readonly string[];
  readonly constraints?: readonly Constraint[];
  /** Columns to summarise and correlate; absent: every column of numbers that is neither a factor nor bookkeeping. */
  readonly responses?: readonly string[];
  /** Of the intervals; 0.95 if absent. */
  readonly confidence?: number;
  /** The requests behind a row of the table, for the intervals of latencies over replicates; absent where they are not kept. Called only while summaries are worked out. */
  readonly requestsOf?: (row: number) => ReplicateRequests | undefined;
  /** Levels of the factor `load` that are closed loops; none if absent. */
  readonly closedLoads?: readonly string[];
  /** Lets rows with estimated and with measured energy stand in one front. */
  readonly allowMixedEnergy?: boolean;
}

/** The requests of one trial. */
export interface ReplicateRequests {
  /** Of every request that has one, in any order, milliseconds. */
  readonly latenciesMs: Float64Array;
  /** What makes neighbouring requests alike; `changing` where the load changes by design, so that latency has no one distribution. */
  readonly load: Dependence | 'changing';
}

/** A configuration that could not be compared, and why. */
export interface LeftOut {
  /** Index of the configuration. */
  readonly configuration: number;
  readonly reason: string;
}

/** The Pareto front among the configurations of one context value, or of all. */
export interface Front {
  /** `all`, or `context=value`. */
  readonly name: string;
  /** Every configuration that belongs here, by index, those that were left out included. */
  readonly members: Int32Array;
  /** Beside `members`: 1 where no other member dominates it and it was not left out. */
  readonly onFront: Uint8Array;
}

/** A coefficient that could be had, with the probability of one at least as far from 0 if there were no association. */
export interface Coefficient {
  readonly value: number;
  readonly p: number;
  /** How `p` was found, e.g. `t`, `exact`, `normal`. */
  readonly method: string;
}

/** How alike one response behaves at two values of a context, over configurations matched on all other factors. */
export interface Correlation {
  readonly response: string;
  readonly context: string;
  readonly a: string;
  readonly b: string;
  /** Matched configurations. */
  readonly n: number;
  /** The three coefficients where they exist, and why not otherwise. */
  readonly outcome: CorrelationOutcome;
}

export type CorrelationOutcome =
  | { readonly pearson: Coefficient; readonly spearman: Coefficient; readonly kendall: Coefficient }
  | { readonly reason: string };

/** One response of one configuration over its replicates. */
export interface Summary {
  /** Index of the configuration. */
  readonly configuration: number;
  readonly response: string;
  readonly n: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Sample standard deviation over the replicates; absent with one. */
  readonly sd: number | undefined;
  /** `estimate` is the figure it is of: the mean over replicates, or for a latency the statistic of all requests pooled. */
  readonly interval: { readonly estimate: number; readonly lo: number; readonly hi: number } | undefined;
  /** How the interval was found, or why there is none and what it would take. */
  readonly method: string;
}

/** Rows of a table by what became of them. */
export interface RowCounts {
  readonly rows: number;
  readonly used: number;
  /** `state` is not `done`. */
  readonly failed: number;
  /** `verdict` is `invalid`. */
  readonly invalid: number;
}

/** The distinct combinations of factor levels in a table, in order of first appearance. */
export interface Configurations {
  readonly count: number;
  readonly factors: readonly string[];
  /** Level names by factor, in the order of `factors`. */
  readonly levels: readonly (readonly string[])[];
  /** By factor: the index in its `levels` of each configuration. */
  readonly codes: readonly Int32Array[];
  /** Usable rows of configuration c are `rows[offsets[c]]` to `rows[offsets[c + 1] - 1]`. */
  readonly offsets: Int32Array;
  readonly rows: Int32Array;
}

/** Responses that are counted alike: trial by trial, or where they were measured once for each launch of a server, launch by launch. */
export interface ResponseSource {
  /** Of launches: without what varies within launches, one row each. */
  readonly configurations: Configurations;
  /** By response: one value per row of the table; of launches in the first usable row of each, NaN elsewhere. */
  readonly rowValues: ReadonlyMap<string, Float64Array>;
  readonly means: ReadonlyMap<string, Float64Array>;
  /** The means of those responses that say how good a configuration is. */
  readonly outcomeMeans: ReadonlyMap<string, Float64Array>;
  /** Those of the contexts that are factors here. */
  readonly contexts: readonly string[];
  /** Per row of the table its launch, where rows here may share one. */
  readonly launches: Int32Array | undefined;
}

/** Everything `analyzeTable` finds. */
export interface Analysis {
  readonly options: Required<AnalysisOptions>;
  readonly counts: RowCounts;
  readonly configurations: Configurations;
  /** By response: mean over the replicates of each configuration; NaN where none has it. */
  readonly means: ReadonlyMap<string, Float64Array>;
  /** The means of those responses that say how good a configuration is. */
  readonly outcomeMeans: ReadonlyMap<string, Float64Array>;
  /** By response: one value per row of the table, NaN where empty. */
  readonly rowValues: ReadonlyMap<string, Float64Array>;
  /** Runs of the whole design at different times: which of them each row of the table belongs to; undefined where the table names none. */
  readonly blocks: { readonly levels: readonly string[]; readonly codes: Int32Array } | undefined;
  /** Every response once, by how it is to be counted. */
  readonly sources: readonly ResponseSource[];
  readonly leftOut: readonly LeftOut[];
  readonly fronts: readonly Front[];
  /** Worked out when first asked for. */
  readonly correlations: readonly Correlation[];
  /** Draws the means of objectives and constraints as they could have come out. */
  readonly sampler: MeanSampler;
  /** Beside `fronts`, how sure each is; worked out when first asked for. */
  readonly frontDetails: readonly FrontDetail[];
  /** By response and context; worked out when first asked for. */
  readonly effects: readonly ResponseEffects[];
  /** Worked out anew at each iteration, so that a million configurations need no memory. */
  readonly summaries: Iterable<Summary>;
  /** What a reader of the tables should know, in sentences. */
  readonly notes: readonly string[];
}

/** A table to write: a cell that is undefined is empty. Rows are made as they are read. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly (string | number | boolean | undefined)[]>;
}
