import { KserveError, quote } from '../../kserve/index.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { LoadedModel } from '../model/types.ts';
import type { ModelSettings, RepositoryFolder } from '../types.ts';
import type { HeldModel } from './held-model.ts';
import { describeFailure, ModelEntry } from './model-entry.ts';
import { scanFolder } from './repository-folder.ts';
import type { ModelListing, RepositoryEvents } from './types.ts';

export interface RepositoryOptions {
  readonly folder?: RepositoryFolder | undefined;
  readonly maxLoaded?: number | undefined;
  /** Memory that requests are made of, shared with whoever receives them. */
  readonly pool: BufferPool;
}

/**
 * The models a server has, loaded or not, by name and version; every protocol serves from here.
 *
 * Loads and unloads come one after another, so that the memory of each can be told, and never hold up requests to other models. A model that was never loaded, or had to make
 * room for another, is loaded when it is asked for; one that was unloaded on request, or died, waits for a `load`.
 * Whoever made it disposes it, once no request can come any more.
 */
export class ModelRepository implements AsyncDisposable {
  readonly #entries: ModelEntry[];
  readonly #options: RepositoryOptions;
  readonly #events: RepositoryEvents;
  #lastChange: Promise<unknown> = Promise.resolve();
  #uses = 0;
  readonly #readinessListeners: ((isReady: boolean) => void)[] = [];

  constructor(models: readonly ModelSettings[], options: RepositoryOptions, events: RepositoryEvents) {
    this.#entries = models.map((settings) => new ModelEntry(settings, options.pool, events.watch));
    this.#options = options;
    this.#events = events;
    this.#scan();
  }

  /** Loads what is to be loaded before the server listens. @throws ModelError for the first that cannot be */
  async loadAtStart(): Promise<void> {
    const wanted = this.#entries.filter(({ settings }) => settings.isLoadedAtStart !== false);
    for (const entry of wanted.slice(0, this.#options.maxLoaded)) await this.#change(() => this.#load(entry));
  }

  /**
   * Runs an action on a model that is held loaded meanwhile. Waits where the model has to be loaded first.
   * @param version - undefined for the newest that is ready, or else for the newest
   * @throws KserveError with status 404 where there is no such model or version, 503 where it is not ready
   */
  async use<T>(name: string, version: string | undefined, action: (model: LoadedModel) => Promise<T>): Promise<T> {
    const entry = this.#find(name, version);
    entry.lastUse = ++this.#uses;
    let held: HeldModel | undefined;
    try {
      held = entry.hold() ?? (await this.#holdOnDemand(entry));
      return await action(held.model);
    } catch (error) {
      this.#events.watch(entry.name, entry.version).onError(error);
      throw error;
    } finally {
      held?.release();
    }
  }

  /** Where one version stands. @throws KserveError with status 404 where there is none */
  find(name: string, version: string | undefined): ModelListing {
    return this.#find(name, version).listing;
  }

  /** A model that is ready, for a look that is no use. @throws KserveError with status 404 where there is none, 503 where it is not ready */
  peek(name: string, version: string | undefined): LoadedModel {
    const entry = this.#find(name, version);
    if (entry.loaded === undefined) throw entry.refusal;
    return entry.loaded;
  }

  /** Whether every model can be asked: none has died or could not be loaded. One that was unloaded, on request or to make room, or that waits for its first request, is no fault. */
  get isReady(): boolean {
    return !this.#entries.some(({ hasFailed }) => hasFailed);
  }

  /** @param listener - told whether every model can be asked whenever that may have changed */
  watchReadiness(listener: (isReady: boolean) => void): void {
    this.#readinessListeners.push(listener);
  }

  /** Versions of a model, oldest first, loaded or not. */
  versionsOf(name: string): string[] {
    return this.#versionsOf(name).map(({ version }) => version);
  }

  /** Every version of every model, in the order they were added. */
  list(): ModelListing[] {
    this.#scan();
    return this.#entries.map(({ listing }) => listing);
  }

  /**
   * Loads every version of a model, one that is loaded anew from its file while the old one goes on answering.
   * @throws KserveError with status 404 where there is none, 500 where one cannot be loaded; of a version that was ready the old one then stays
   */
  async load(name: string): Promise<void> {
    this.#scan();
    for (const entry of this.#versionsOf(name)) {
      await this.#change(async () => {
        entry.isOnDemand = true;
        const isReload = entry.state === 'ready';
        await (isReload ? entry.reload(this.#onDeathOf(entry)) : this.#load(entry)).catch((error: unknown) => {
          throw new KserveError(500, isReload ? stays(entry, error) : entry.refusal.message);
        });
      });
    }
  }

  /** Unloads every version of a model, each after the requests it has; new ones are refused from now on. @throws KserveError with status 404 where there is none */
  async unload(name: string): Promise<void> {
    const entries = this.#versionsOf(name);
    for (const entry of entries) entry.isOnDemand = false;
    for (const entry of entries) await this.#change(() => entry.unload('it was unloaded on request'));
  }

  /** Unloads everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#change(async () => {
      await Promise.all(this.#entries.map((entry) => entry.unload('the server is stopping')));
    });
  }

  #scan(): void {
    const { folder, pool } = this.#options;
    if (folder === undefined) return;
    for (const settings of scanFolder(folder)) {
      const isKnown = this.#entries.some(({ name, version }) => name === settings.name && version === settings.version);
      if (!isKnown) this.#entries.push(new ModelEntry(settings, pool, this.#events.watch));
    }
  }

  #versionsOf(name: string): readonly ModelEntry[] {
    const versions = this.#entries.filter((entry) => entry.name === name);
    if (versions.length > 0) return versions.toSorted((a, b) => Number(a.version) - Number(b.version));
    const known = [...new Set(this.#entries.map((entry) => quote(entry.name)))].join(', ');
    throw new KserveError(404, `there is no model ${quote(name)}; this server has ${known === '' ? 'none' : known}`);
  }

  #find(name: string, version: string | undefined): ModelEntry {
    const versions = this.#versionsOf(name);
    if (version === undefined) {
      return versions.findLast((entry) => entry.state === 'ready') ?? (versions.at(-1) as ModelEntry);
    }
    const entry = versions.find((one) => one.version === version);
    if (entry !== undefined) return entry;
    const known = versions.map((one) => quote(one.version)).join(', ');
    throw new KserveError(404, `the model ${quote(name)} has no version ${quote(version)}; it has ${known}`);
  }

  async #holdOnDemand(entry: ModelEntry): Promise<HeldModel> {
    if (!entry.isOnDemand) throw entry.refusal;
    return this.#change(async () => {
      if (!entry.isOnDemand) throw entry.refusal;
      await this.#load(entry).catch((error: unknown) => {
        this.#events.onFault(entry.listing, error);
      });
      // Held before the next change can begin, which may want its room.
      const held = entry.hold();
      if (held === undefined) throw entry.refusal;
      return held;
    });
  }

  /** Only ever called within a change. */
  async #load(entry: ModelEntry): Promise<void> {
    if (entry.state === 'ready') return;
    await this.#makeRoom();
    await entry.load(this.#onDeathOf(entry));
  }

  #onDeathOf(entry: ModelEntry): (reason: Error) => void {
    return (reason) => {
      entry.isOnDemand = false;
      this.#tellReadiness();
      this.#events.onDeath(entry.listing, reason);
    };
  }

  async #makeRoom(): Promise<void> {
    const { maxLoaded = Number.POSITIVE_INFINITY } = this.#options;
    for (;;) {
      const ready = this.#entries.filter(({ state }) => state === 'ready');
      if (ready.length < maxLoaded) return;
      const [oldest] = ready.toSorted((a, b) => a.lastUse - b.lastUse) as [ModelEntry];
      await oldest.unload('it was unloaded to make room for another');
    }
  }

  #tellReadiness(): void {
    for (const listener of this.#readinessListeners) listener(this.isReady);
  }

  /** Runs changes of what is loaded one after another. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#lastChange.then(change, change).finally(() => this.#tellReadiness());
    this.#lastChange = done.catch(() => {});
    return done;
  }
}

function stays({ name, version }: ModelEntry, error: unknown): string {
  const model = `the model ${quote(name)}, version ${quote(version)}`;
  return `${model}, was not loaded anew and stays as it was: ${describeFailure(error)}`;
}
