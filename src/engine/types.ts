import type { NamedTensor, TensorSpec } from '../models/types.ts';

/** Settings of the inference runtime that are factors of an experiment. Defaults are onnxruntime's own except where said. */
export interface EngineSettings {
  /** Threads inside an operator. */
  readonly intraOpThreads: number;
  /** Threads across operators; only used under `parallel`. */
  readonly interOpThreads: number;
  readonly executionMode: 'sequential' | 'parallel';
  readonly graphOptimization: 'disabled' | 'basic' | 'extended' | 'all';
  /** Whether idle runtime threads spin. Costs CPU and energy between requests; off unless asked for, because a study of energy should not pay for it unknowingly. */
  readonly spinning: boolean;
}

/**
 * A loaded model. Calls to `run` may overlap; each is answered in the order it came.
 *
 * Whoever loaded it disposes it; runs that are still pending then, or when the engine dies, reject with InferenceError.
 */
export interface Engine extends AsyncDisposable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly settings: EngineSettings;
  /** Items of the largest run that is on the thread of the caller; 0 where all are on another. */
  readonly itemsHere: number;
  /**
   * @param inputs - every input of the model, in any order
   * @throws InferenceError where the runtime refuses the inputs or fails on them
   */
  run(inputs: readonly NamedTensor[], options?: RunOptions): Promise<Inference>;
  /** Settles when the engine can run nothing any more: with undefined after it was disposed, with the reason when it died. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}

export interface RunOptions {
  /**
   * Buffers of the inputs that move to the engine while it works on them and come back as `Inference.returned`. No array over them, the inputs' own
   * included, may be used from the call on. Inputs whose buffers are not listed are copied.
   */
  readonly lend?: readonly ArrayBuffer[];
  /** Names of the outputs wanted; all where absent. */
  readonly outputs?: readonly string[];
}

export interface Inference {
  readonly outputs: readonly NamedTensor[];
  /** From `run` being called to the runtime starting on it, microseconds. */
  readonly queueUs: number;
  /** In the runtime, microseconds. */
  readonly computeUs: number;
  /** The memory that was lent, in the order it was listed, for the caller to use again. Lost where the run fails. */
  readonly returned: readonly ArrayBuffer[];
}
