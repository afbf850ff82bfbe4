import { NS_PER_S } from '../units.ts';
import { type RequestSummary, type SummaryOptions, summarizeRequests } from './summary.ts';
import type { RequestRecords } from './types.ts';

/** One second of a load. */
export interface SecondSummary {
  /** Whole seconds from the start of the window. */
  readonly second: number;
  readonly summary: RequestSummary;
}

/** Summarizes each whole second of a window by itself, for loads whose rate changes. A last part of a second is left out. */
export function* summarizeSeconds(records: RequestRecords, options: SummaryOptions): Generator<SecondSummary> {
  const seconds = Math.floor((options.endNs - options.startNs) / NS_PER_S);
  for (let second = 0; second < seconds; second++) {
    const startNs = options.startNs + second * NS_PER_S;
    yield { second, summary: summarizeRequests(records, { ...options, startNs, endNs: startNs + NS_PER_S }) };
  }
}
