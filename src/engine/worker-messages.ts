import type { FusionSettings, NamedTensor, TensorSpec } from '../models/types.ts';
import type { InferenceErrorKind } from './inference-error.ts';
import type { EngineSettings } from './types.ts';

/** What crosses between the engine and its worker thread. Times are on the machine's monotonic clock, which all threads share. */

export interface WorkerStart {
  readonly file: string;
  readonly settings: EngineSettings;
  readonly fusions: FusionSettings;
}

export type ToWorker = RunMessage | { readonly kind: 'close' };

/** Arrays, because these two cross for every request: the names of an object's members cost more to write and read than their values. */
export type RunMessage = readonly [
  id: number,
  inputs: readonly TensorParts[],
  outputs: readonly string[] | undefined,
  lent: readonly ArrayBuffer[],
];

export type DoneMessage = readonly [
  id: number,
  outputs: readonly TensorParts[],
  returned: readonly ArrayBuffer[],
  startedNs: number,
  endedNs: number,
];

type TensorParts = readonly [
  name: string,
  type: NamedTensor['type'],
  shape: NamedTensor['shape'],
  data: NamedTensor['data'],
];

export function partsOf({ name, type, shape, data }: NamedTensor): TensorParts {
  return [name, type, shape, data];
}

export function tensorOf([name, type, shape, data]: TensorParts): NamedTensor {
  return { name, type, shape, data };
}

export type FromWorker =
  | { readonly kind: 'loaded'; readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] }
  | { readonly kind: 'unloadable'; readonly reason: string }
  | DoneMessage
  | { readonly kind: 'failed'; readonly id: number; readonly errorKind: InferenceErrorKind; readonly reason: string };
