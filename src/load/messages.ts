import type { Problem } from '../errors.ts';
import type { GeneratorUsage, LoadTarget, OfferedLoad, RequestRecords } from './types.ts';

/** What the driver asks of the generator process, with what each request is answered by. */
export type GeneratorRequest =
  | { readonly type: 'prepare'; readonly target: LoadTarget; readonly timeoutMs: number }
  | { readonly type: 'start'; readonly load: OfferedLoad }
  | { readonly type: 'stop' }
  /** Ends the load that is on without waiting for its answers, and forgets the target. */
  | { readonly type: 'close' }
  | { readonly type: 'usage' };

export interface GeneratorAnswers {
  readonly prepare: null;
  readonly start: { readonly startedAtNs: number };
  readonly stop: null;
  readonly close: null;
  readonly usage: GeneratorUsage;
}

/** One request on its way to the generator; its answer carries the same id. Each channel is a load of its own, with its target. */
export interface Call {
  readonly id: number;
  readonly channel: number;
  readonly request: GeneratorRequest;
}

/** What the generator process says. Messages arrive in the order they were sent, so all records of a run precede the answer to its `stop`. */
export type GeneratorMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly problems: readonly Problem[] }
  | { readonly type: 'records'; readonly channel: number; readonly records: RequestRecords };
