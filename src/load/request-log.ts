import { median } from 'simple-statistics';
import { latencyMsOf } from './latencies.ts';
import { concatRecords } from './records.ts';
import { OUTCOME, type RequestRecords } from './types.ts';

/** Gathers the records of one stretch of load as they arrive in batches. */
export class RequestLog {
  readonly #batches: RequestRecords[] = [];
  #count = 0;

  readonly add = (records: RequestRecords): void => {
    this.#batches.push(records);
    this.#count += records.count;
  };

  /** Requests that have ended so far. */
  get count(): number {
    return this.#count;
  }

  /** All records so far, in the order in which requests ended. */
  all(): RequestRecords {
    return concatRecords(this.#batches);
  }

  /** Median latency of the good replies in the latest batch, milliseconds; for watching a run, not for results. */
  recentMedianLatencyMs(): number | undefined {
    const latest = this.#batches.at(-1);
    if (latest === undefined) return undefined;
    const good = [...latest.outcome.keys()]
      .filter((row) => latest.outcome[row] === OUTCOME.ok)
      .map((row) => latencyMsOf(latest, row));
    return good.length === 0 ? undefined : median(good);
  }
}
