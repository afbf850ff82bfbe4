import type { Analysis, ResultTable } from '../analysis/index.ts';
import type { Results } from '../store/index.ts';

/** The latencies of one design point, all its usable replicates together, as read from their histograms. */
export interface LatencyCurve {
  /** A trial of the design point; its row names the levels. */
  readonly trialId: string;
  /** Histograms that were merged, one a replicate. */
  readonly trials: number;
  readonly requests: number;
  /** Shares of requests (0 to below 1) with the latency that this share does not exceed, milliseconds; only shares that the sample is large enough for. */
  readonly points: readonly { readonly share: number; readonly latencyMs: number }[];
}

/** One result folder (or plain table) and everything that was found in it. */
export interface ReportPart {
  /** Name of the experiment, or of the file. */
  readonly name: string;
  /** Where it was read from, as the user gave it. */
  readonly source: string;
  /** The folder; absent for a plain table. */
  readonly results: Results | undefined;
  readonly analysis: Analysis;
  /** The tables of the analysis by file name, e.g. `effects.csv`. */
  readonly tables: ReadonlyMap<string, ResultTable>;
  readonly latencies: readonly LatencyCurve[];
}

/** Chart specs (Vega-Lite, with placeholders) by name. */
export type ChartSpecs = Readonly<Record<string, unknown>>;
