import { DseError, messageOf } from '../../errors.ts';
import { KserveError, quote } from '../../kserve/index.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { loadModel, versionOf } from '../model/index.ts';
import type { LoadedModel } from '../model/types.ts';
import type { ModelSettings } from '../types.ts';
import { HeldModel } from './held-model.ts';
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
  #held: HeldModel | undefined;
  #hasFailed = false;
  #loads = 0;
  #unloads = 0;

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
    return this.#state === 'ready' ? this.#held?.model : undefined;
  }

  /** Whether it died or could not be loaded, and was neither loaded nor unloaded on request since. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get listing(): ModelListing {
    const { name, version, loaded } = this;
    const [loads, unloads] = [this.#loads, this.#unloads];
    return { name, version, state: this.#state, reason: this.#reason, loaded, loads, unloads };
  }

  /**
   * @param onDeath - called when it dies while it is ready
   * @throws ModelError where it cannot be loaded
   */
  async load(onDeath: (reason: Error) => void): Promise<void> {
    this.#state = 'loading';
    this.#reason = '';
    try {
      await this.#take(onDeath);
    } catch (error) {
      this.#fail(describeFailure(error));
      throw error;
    }
  }

  /**
   * Loads it anew from its file; the model it has goes on answering meanwhile, and where the new one cannot be loaded, after it.
   * @param onDeath - called when the new one dies while it is ready
   * @throws ModelError where it cannot be loaded
   */
  async reload(onDeath: (reason: Error) => void): Promise<void> {
    const before = this.#held;
    await this.#take(onDeath);
    await before?.dispose();
  }

  async #take(onDeath: (reason: Error) => void): Promise<void> {
    const model = await loadModel(this.settings, this.#pool, this.#watch(this.name, this.version));
    // The one before goes, where it is loaded anew.
    if (this.#held !== undefined) this.#unloads++;
    this.#held = new HeldModel(model);
    this.#loads++;
    this.#state = 'ready';
    this.#reason = '';
    this.#hasFailed = false;
    void model.ended.then((reason) => {
      if (this.#held?.model !== model || reason === undefined) return;
      this.#unloads++;
      this.#fail(`it died: ${reason.message}`);
      onDeath(reason);
    });
  }

  /** Takes no more requests, waits until those it has are answered, and lets go of the model. */
  async unload(reason: string): Promise<void> {
    const held = this.#held;
    if (held !== undefined) {
      this.#state = 'unloading';
      this.#reason = reason;
      this.#held = undefined;
      await held.dispose();
      this.#unloads++;
    }
    if (held === undefined && !this.#hasFailed) return;
    this.#become('unavailable', reason);
    this.#hasFailed = false;
  }

  /** The model, which then stays loaded until it is released as often as it was held; undefined where it is not ready. */
  hold(): HeldModel | undefined {
    return this.#state === 'ready' ? this.#held?.hold() : undefined;
  }

  /** What a request is told that cannot be served now. */
  get refusal(): KserveError {
    const why = this.#reason === '' ? 'it is not loaded' : this.#reason;
    return new KserveError(503, `the model ${quote(this.name)}, version ${quote(this.version)}, is not ready: ${why}`);
  }

  #become(state: 'unavailable', reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#held = undefined;
  }

  #fail(reason: string): void {
    this.#become('unavailable', reason);
    this.#hasFailed = true;
  }
}

/** Why a model could not be loaded, in one line. */
export function describeFailure(error: unknown): string {
  return error instanceof DseError ? error.problems.map(({ what }) => what).join('; ') : messageOf(error);
}
