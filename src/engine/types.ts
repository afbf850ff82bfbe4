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

/** A loaded model. Calls to `run` may overlap; each is answered in the order it came. */
export interface Engine extends AsyncDisposable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly settings: EngineSettings;
  run(inputs: readonly NamedTensor[]): Promise<Inference>;
}

export interface Inference {
  readonly outputs: readonly NamedTensor[];
  /** From `run` being called to the runtime starting on it, microseconds. */
  readonly queueUs: number;
  /** In the runtime, microseconds. */
  readonly computeUs: number;
}
