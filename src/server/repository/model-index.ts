import { KserveError, quote } from '../../kserve/index.ts';
import type { ModelRepository } from './model-repository.ts';
import type { ModelState } from './types.ts';

/** The states' names in the protocol. */
const STATE_NAMES: Readonly<Record<ModelState, string>> = {
  unavailable: 'UNAVAILABLE',
  loading: 'LOADING',
  ready: 'READY',
  unloading: 'UNLOADING',
};

/** The index of a repository as the protocol has it, whichever way it is asked for. */
export function modelIndex(repository: ModelRepository, { onlyReady }: { readonly onlyReady: boolean }) {
  return repository
    .list()
    .filter(({ state }) => !onlyReady || state === 'ready')
    .map(({ name, version, state, reason }) => ({ name, version, state: STATE_NAMES[state], reason }));
}

/**
 * A model is loaded as the server was told to serve it: its files and settings cannot be sent along.
 * @throws KserveError with status 400 for any parameter
 */
export function refuseParameters(parameters: object = {}): void {
  const [first] = Object.keys(parameters);
  if (first === undefined) return;
  throw new KserveError(400, `a model is loaded without parameters, and ${quote(first)} is given`);
}
