import type { Engine } from '../../engine/types.ts';
import type { ModelSignature } from '../../kserve/index.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { ModelSettings } from '../types.ts';
import { Scheduler } from './scheduler.ts';
import type { InferenceRequest, LoadedModel, LoadFigures, ModelInference } from './types.ts';

/** A loaded model over sessions of the runtime. */
export class EngineModel implements LoadedModel {
  readonly settings: ModelSettings;
  readonly figures: LoadFigures;
  readonly signature: ModelSignature;
  readonly ended: Promise<Error | undefined>;
  readonly #engines: readonly Engine[];
  readonly #scheduler: Scheduler;

  /** @param engines - one or more sessions of the same file */
  constructor(settings: ModelSettings, engines: readonly Engine[], figures: LoadFigures, pool: BufferPool) {
    this.settings = settings;
    this.figures = figures;
    this.signature = engines[0] as Engine;
    this.ended = Promise.race(engines.map((engine) => engine.ended));
    this.#engines = engines;
    this.#scheduler = new Scheduler(engines, settings, pool, { onRun: () => {} });
  }

  get queueLength(): number {
    return this.#scheduler.queueLength;
  }

  infer(request: InferenceRequest): Promise<ModelInference> {
    return this.#scheduler.submit(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine[Symbol.asyncDispose]()));
  }
}
