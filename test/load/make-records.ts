import { OUTCOME, type Outcome, type RequestRecords } from '../../src/load/types.ts';

/** A request in milliseconds, for records written by hand. */
export interface RequestMs {
  readonly intended: number;
  readonly sent?: number;
  readonly done: number;
  readonly outcome?: Outcome;
  readonly waited?: boolean;
  readonly queue?: number;
  readonly compute?: number;
  readonly cacheHit?: number;
  readonly top1?: number;
  readonly top5?: number;
}

export function makeRecords(requests: readonly RequestMs[]): RequestRecords {
  const nsOf = (ms: number) => ms * 1e6;
  return {
    count: requests.length,
    intendedNs: Float64Array.from(requests, ({ intended }) => nsOf(intended)),
    sentNs: Float64Array.from(requests, ({ intended, sent = intended }) => nsOf(sent)),
    doneNs: Float64Array.from(requests, ({ done }) => nsOf(done)),
    waitedForClient: Uint8Array.from(requests, ({ waited = false }) => (waited ? 1 : 0)),
    outcome: Uint8Array.from(requests, ({ outcome = 'ok' }) => OUTCOME[outcome]),
    queueUs: Float32Array.from(requests, ({ queue = Number.NaN }) => queue * 1000),
    computeUs: Float32Array.from(requests, ({ compute = Number.NaN }) => compute * 1000),
    cacheHit: Int8Array.from(requests, ({ cacheHit = -1 }) => cacheHit),
    top1Correct: Int16Array.from(requests, ({ top1 = -1 }) => top1),
    top5Correct: Int16Array.from(requests, ({ top5 = -1 }) => top5),
  };
}
