import type { NamedTensor, TensorSpec } from '../models/types.ts';
import type { InferenceErrorKind } from './inference-error.ts';
import type { EngineSettings } from './types.ts';

/** What crosses between the engine and its worker thread. Times are on the machine's monotonic clock, which all threads share. */

export interface WorkerStart {
  readonly file: string;
  readonly settings: EngineSettings;
}

export type ToWorker = RunMessage | { readonly kind: 'close' };

export interface RunMessage {
  readonly kind: 'run';
  readonly id: number;
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly string[] | undefined;
  readonly lent: readonly ArrayBuffer[];
}

export type FromWorker =
  | { readonly kind: 'loaded'; readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] }
  | { readonly kind: 'unloadable'; readonly reason: string }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly outputs: readonly NamedTensor[];
      readonly returned: readonly ArrayBuffer[];
      readonly startedNs: number;
      readonly endedNs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly errorKind: InferenceErrorKind; readonly reason: string };
