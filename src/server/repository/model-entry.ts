import { DseError, messageOf } from '../../errors.ts';
import { KserveError, quote } from '../../kserve/index.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { loadModel, versionOf } from '../model/index.ts';
import type { LoadedModel } from '../model/types.ts';
import type { ModelSettings } from '../types.ts';
import type { ModelListing, ModelState, RepositoryEvents } from './types.ts';

/** One version of a model in a repository, loaded or not. */
export class ModelEntry {
  readonly settings: ModelSettings;
  readonly name: string;
  readonly version: string;
  /** Whether a request may load it: it was never loaded, or had to make room. Not after someone asked for it to be unloaded. */
  isOnDemand = true;
  /** Position of its last use among all uses in the repository; 0 before the first. */
  lastUse = 0;
  readonly #pool: BufferPool;
  readonly #watch: RepositoryEvents['watch'];
  #state: ModelState = 'unavailable';
  #reason = '';
  #loaded: LoadedModel | undefined;
  #holds = 0;
  #onUnheld: () => void = () => {};

  constructor(settings: ModelSettings, pool: BufferPool, watch: RepositoryEvents['watch']) {
    this.settings = settings;
    this.#pool = pool;
    this.#watch = watch;
    this.name = settings.name;
    this.version = versionOf(settings);
  }

  get state(): ModelState {
    return this.#state;
  }

  get loaded(): LoadedModel | undefined {
    return this.#state === 'ready' ? this.#loaded : undefined;
  }

  get listing(): ModelListing {
    const { name, version, loaded } = this;
    return { name, version, state: this.#state, reason: this.#reason, loaded };
  }

  /**
   * @param onDeath - called when it dies while it is ready
   * @throws ModelError where it cannot be loaded
   */
  async load(onDeath: (reason: Error) => void): Promise<void> {
    this.#state = 'loading';
    this.#reason = '';
    try {
      const model = await loadModel(this.settings, this.#pool, this.#watch(this.name, this.version));
      this.#loaded = model;
      this.#state = 'ready';
      void model.ended.then((reason) => {
        if (this.#loaded !== model || reason === undefined) return;
        this.#become('unavailable', `it died: ${reason.message}`);
        onDeath(reason);
      });
    } catch (error) {
      this.#become('unavailable', describeFailure(error));
      throw error;
    }
  }

  /** Takes no more requests, waits until those it has are answered, and lets go of the model. */
  async unload(reason: string): Promise<void> {
    const model = this.loaded;
    if (model === undefined) return;
    this.#state = 'unloading';
    this.#reason = reason;
    if (this.#holds > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnheld = resolve;
      });
    }
    this.#loaded = undefined;
    await model[Symbol.asyncDispose]();
    this.#become('unavailable', reason);
  }

  /** The model, which then stays loaded until it is released as often as it was held; undefined where it is not ready. */
  hold(): LoadedModel | undefined {
    const model = this.loaded;
    if (model !== undefined) this.#holds++;
    return model;
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#onUnheld();
  }

  /** What a request is told that cannot be served now. */
  get refusal(): KserveError {
    const why = this.#reason === '' ? 'it is not loaded' : this.#reason;
    return new KserveError(503, `the model ${quote(this.name)}, version ${quote(this.version)}, is not ready: ${why}`);
  }

  #become(state: 'unavailable', reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#loaded = undefined;
  }
}

/** Why a model could not be loaded, in one line. */
function describeFailure(error: unknown): string {
  return error instanceof DseError ? error.problems.map(({ what }) => what).join('; ') : messageOf(error);
}
