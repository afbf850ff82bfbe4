import type { FastifyInstance } from 'fastify';
import { KserveError, parseJsonObject, quote } from '../kserve/index.ts';
import type { ModelRepository } from './repository/index.ts';
import type { ModelState } from './repository/types.ts';
import type { RequestBody } from './request-body.ts';

/** The states' names in the protocol. */
const STATE_NAMES: Readonly<Record<ModelState, string>> = {
  unavailable: 'UNAVAILABLE',
  loading: 'LOADING',
  ready: 'READY',
  unloading: 'UNLOADING',
};

/**
 * The model repository extension: listing, loading and unloading the models of the server.
 *
 * Source: Open Inference Protocol, "Model Repository Extension".
 */
export function addRepositoryRoutes(app: FastifyInstance, repository: ModelRepository): void {
  app.post('/v2/repository/index', async (request) => {
    const { ready } = readOptions(request.body as RequestBody | undefined);
    return repository
      .list()
      .filter(({ state }) => ready !== true || state === 'ready')
      .map(({ name, version, state, reason }) => ({ name, version, state: STATE_NAMES[state], reason }));
  });
  app.post('/v2/repository/models/:model/load', async (request) => {
    await repository.load((request.params as { model: string }).model);
    return {};
  });
  app.post('/v2/repository/models/:model/unload', async (request) => {
    await repository.unload((request.params as { model: string }).model);
    return {};
  });
}

interface IndexOptions {
  readonly ready?: boolean;
}

function readOptions(received: RequestBody | undefined): IndexOptions {
  if (received === undefined || received.bytes.byteLength === 0) return {};
  const { ready } = parseJsonObject(received.bytes, 400, 'the request');
  if (ready === undefined || typeof ready === 'boolean') return ready === undefined ? {} : { ready };
  throw new KserveError(400, `the request has ${quote(ready)} as "ready", where true or false is expected`);
}
