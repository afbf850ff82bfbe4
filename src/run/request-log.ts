import { median } from 'simple-statistics';
import { concatRecords, OUTCOME, type RequestRecords } from '../load/index.ts';
import { NS_PER_MS } from '../units.ts';

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
    const latencies = Array.from(
      latest.doneNs,
      (doneNs, row) => (doneNs - (latest.intendedNs[row] as number)) / NS_PER_MS,
    );
    const good = latencies.filter((_, row) => latest.outcome[row] === OUTCOME.ok);
    return good.length === 0 ? undefined : median(good);
  }
}
