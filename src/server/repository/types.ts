import type { LoadedModel, ModelEvents } from '../model/types.ts';

/**
 * Where one version of a model stands.
 *
 *     unavailable --load--> loading --> ready --unload--> unloading --> unavailable
 *          ^                   |          |
 *          '------ failed -----'          '-- its session died --> unavailable
 */
export type ModelState = 'unavailable' | 'loading' | 'ready' | 'unloading';

/** One line of the repository's index. */
export interface ModelListing {
  readonly name: string;
  readonly version: string;
  readonly state: ModelState;
  /** Why it is not available; empty where it is, or was never loaded. */
  readonly reason: string;
  /** The model, while it is ready. */
  readonly loaded: LoadedModel | undefined;
  /** How often it became ready. */
  readonly loads: number;
  /** How often it ceased to be: on request, to make room, or because it died. */
  readonly unloads: number;
}

/** What happens to the models of a repository that nobody is told by an answer. */
export interface RepositoryEvents {
  /** A model that was ready can answer nothing any more. */
  onDeath(model: ModelListing, reason: Error): void;
  /** Where what happens to the requests of a model goes. */
  watch(name: string, version: string): ModelEvents;
  /** A model that a request asked for could not be loaded. */
  onFault(model: ModelListing, error: unknown): void;
}
