import { type Engine, InferenceError } from '../../engine/index.ts';
import { KserveError } from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import type { ModelSettings } from '../types.ts';
import type { InferenceRequest, LoadedModel, LoadFigures, ModelInference } from './types.ts';

/** A loaded model over one session of the runtime. */
export class EngineModel implements LoadedModel {
  readonly settings: ModelSettings;
  readonly figures: LoadFigures;
  readonly #engine: Engine;

  constructor(settings: ModelSettings, engine: Engine, figures: LoadFigures) {
    this.settings = settings;
    this.figures = figures;
    this.#engine = engine;
  }

  get signature(): Engine {
    return this.#engine;
  }

  get ended(): Promise<Error | undefined> {
    return this.#engine.ended;
  }

  async infer({ tensors, outputs, lend }: InferenceRequest): Promise<ModelInference> {
    const inference = await this.#engine.run(tensors, { lend, outputs }).catch((error: unknown) => {
      throw asKserveError(error);
    });
    const results = new Map(inference.outputs.map((tensor) => [tensor.name, tensor]));
    return { ...inference, outputs: outputs.map((name) => results.get(name) as NamedTensor) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }
}

function asKserveError(error: unknown): unknown {
  if (!(error instanceof InferenceError)) return error;
  const message = error.message.trim().replaceAll(/\s+/g, ' ');
  switch (error.kind) {
    case 'inputs':
      return new KserveError(400, `the runtime refused the inputs: ${message}`);
    case 'runtime':
      return new KserveError(500, `the runtime failed on the inputs: ${message}`);
    case 'gone':
      return new KserveError(503, message);
  }
}
