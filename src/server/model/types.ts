import type { ModelSignature } from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import type { ModelSettings } from '../types.ts';
import type { ImageIntake } from './image-intake.ts';

/**
 * A model that is loaded and can be asked. Whatever protocol a request came by, this is what answers it.
 *
 * Calls to `infer` may overlap. Whoever loaded it disposes it, once no call is pending.
 */
export interface LoadedModel extends AsyncDisposable {
  readonly settings: ModelSettings;
  readonly signature: ModelSignature;
  readonly figures: LoadFigures;
  /** Undefined where nothing says how images become its input. */
  readonly images: ImageIntake | undefined;
  /** Requests that wait for the runtime. */
  readonly queueLength: number;
  /** Memory that remembered answers take, bytes. */
  readonly cacheBytes: number;
  /** @throws KserveError where the request was refused or could not be answered */
  infer(request: InferenceRequest): Promise<ModelInference>;
  /** Settles when it can answer nothing any more: with undefined after it was disposed, with the reason when it died. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}

/** What it took to load a model. */
export interface LoadFigures {
  /** From the first byte read to the last session being ready, milliseconds. */
  readonly loadMs: number;
  /** The first inference, milliseconds, the slowest where there are several sessions; undefined where no input could be made for it. */
  readonly warmUpMs: number | undefined;
  /** By how much the server's resident memory grew over both, bytes. Other requests answered meanwhile count with it. */
  readonly memoryBytes: number;
  /** Items of the largest run that is on the server's own thread, see `loadEngine`; 0 where all have another. */
  readonly serverThreadItems: number;
}

/** One request, decoded and checked against the model's signature. */
export interface InferenceRequest {
  /** Every input, in the model's order. */
  readonly tensors: readonly NamedTensor[];
  /** Names of the outputs wanted, in that order. */
  readonly outputs: readonly string[];
  /**
   * Buffers of the tensors that the model may use up. They are not to be used from the call on; their memory comes back as `ModelInference.returned`. Tensors whose buffers are not
   * listed are copied.
   */
  readonly lend: readonly ArrayBuffer[];
  /** When it has to have been started on, on the machine's monotonic clock; it is refused then, if it waits still. No limit where absent. */
  readonly deadlineNs?: number | undefined;
}

export interface ModelInference {
  /** In the order they were asked for. */
  readonly outputs: readonly NamedTensor[];
  /** From `infer` being called to the runtime starting on it, microseconds. */
  readonly queueUs: number;
  /** In the runtime, microseconds; all of the run that it shared with others, where it did. */
  readonly computeUs: number;
  /** Memory for the caller to use again. */
  readonly returned: readonly ArrayBuffer[];
  /** Whether the answer was remembered; absent where none is ever looked for. */
  readonly cache?: 'hit' | 'miss';
}

/** What a model tells about the requests it gets and the runs they come to. */
export interface ModelEvents {
  onAnswer(inference: ModelInference): void;
  /** A request that named this version ended without an answer: it did not fit the model, found it not ready, was refused, or failed. */
  onError(error: unknown): void;
  /** @param items - run together, of `requests` requests */
  onRun(items: number, requests: number): void;
}
