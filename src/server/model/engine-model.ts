import type { Engine } from '../../engine/types.ts';
import type { ModelSignature } from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { ModelSettings } from '../types.ts';
import type { ImageIntake } from './image-intake.ts';
import { bytesOf, cacheKey, ResponseCache } from './response-cache.ts';
import { Scheduler } from './scheduler.ts';
import type { InferenceRequest, LoadedModel, LoadFigures, ModelEvents, ModelInference } from './types.ts';

/** What a model over sessions of the runtime is made of besides its settings. */
export interface EngineModelParts {
  /** One or more sessions of the same file. */
  readonly engines: readonly Engine[];
  readonly figures: LoadFigures;
  readonly images: ImageIntake | undefined;
  readonly pool: BufferPool;
  readonly events: ModelEvents;
}

/** A loaded model over sessions of the runtime. */
export class EngineModel implements LoadedModel {
  readonly settings: ModelSettings;
  readonly figures: LoadFigures;
  readonly images: ImageIntake | undefined;
  readonly signature: ModelSignature;
  readonly ended: Promise<Error | undefined>;
  readonly #engines: readonly Engine[];
  readonly #scheduler: Scheduler;
  readonly #cache: ResponseCache | undefined;
  readonly #events: ModelEvents;

  constructor(settings: ModelSettings, { engines, figures, images, pool, events }: EngineModelParts) {
    this.settings = settings;
    this.figures = figures;
    this.images = images;
    this.signature = engines[0] as Engine;
    this.ended = Promise.race(engines.map((engine) => engine.ended));
    this.#engines = engines;
    this.#scheduler = new Scheduler(engines, settings, pool, events);
    this.#cache = settings.cache === undefined ? undefined : new ResponseCache(settings.cache.entries);
    this.#events = events;
  }

  get queueLength(): number {
    return this.#scheduler.queueLength;
  }

  get cacheBytes(): number {
    return this.#cache?.bytes ?? 0;
  }

  async infer(request: InferenceRequest): Promise<ModelInference> {
    const inference = await this.#answer(request);
    this.#events.onAnswer(inference);
    return inference;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine[Symbol.asyncDispose]()));
  }

  #answer(request: InferenceRequest): Promise<ModelInference> {
    const cache = this.#cache;
    const key = cache && cacheKey(request.tensors, request.outputs);
    if (cache === undefined || key === undefined) return this.#scheduler.submit(request);
    const outputs = cache.find(key, request.tensors);
    if (outputs === undefined) return this.#answerAndKeep(request, cache, key);
    return Promise.resolve({ outputs, queueUs: 0, computeUs: 0, returned: request.lend, cache: 'hit' });
  }

  async #answerAndKeep(request: InferenceRequest, cache: ResponseCache, key: string): Promise<ModelInference> {
    const places = placesOf(request);
    const inference = await this.#scheduler.submit(request);
    const { outputs, returned } = inference;
    // Memory that was lent came back and stays here with the inputs in it; what was only copied from is copied once more.
    const kept = places.map(
      ({ lent, offset, length, copy }) => copy ?? new Uint8Array(returned[lent] as ArrayBuffer, offset, length),
    );
    cache.add(key, kept, outputs);
    const isKept = new Set(kept.map(({ buffer }) => buffer));
    return { ...inference, returned: returned.filter((buffer) => !isKept.has(buffer)), cache: 'miss' };
  }
}

/** Where each input lies in the memory that comes back, before it is lent; or a copy, where it is not lent. */
function placesOf({ tensors, lend }: InferenceRequest) {
  return tensors.map(({ data }: NamedTensor) => {
    const bytes = bytesOf(data) as Uint8Array<ArrayBuffer>;
    const lent = lend.indexOf(bytes.buffer);
    return { lent, offset: bytes.byteOffset, length: bytes.byteLength, copy: lent === -1 ? bytes.slice() : undefined };
  });
}
