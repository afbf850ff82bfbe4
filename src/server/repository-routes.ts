import type { FastifyInstance } from 'fastify';
import { KserveError, parseJsonObject, quote } from '../kserve/index.ts';
import { type ModelRepository, modelIndex, refuseParameters } from './repository/index.ts';
import type { RequestBody } from './request-body.ts';

/**
 * The model repository extension: listing, loading and unloading the models of the server.
 *
 * Source: Open Inference Protocol, "Model Repository Extension".
 */
export function addRepositoryRoutes(app: FastifyInstance, repository: ModelRepository): void {
  app.post('/v2/repository/index', async (request) => {
    const { ready } = readOptions(request.body as RequestBody | undefined);
    return modelIndex(repository, { onlyReady: ready === true });
  });
  app.post('/v2/repository/models/:model/load', async (request) => {
    refuseParameters(readParameters(request.body as RequestBody | undefined));
    await repository.load((request.params as { model: string }).model);
    return {};
  });
  app.post('/v2/repository/models/:model/unload', async (request) => {
    await repository.unload((request.params as { model: string }).model);
    return {};
  });
}

function readParameters(received: RequestBody | undefined): object | undefined {
  if (received === undefined || received.bytes.byteLength === 0) return undefined;
  const { parameters } = parseJsonObject(received.bytes, 400, 'the request');
  if (parameters === undefined || (typeof parameters === 'object' && parameters !== null)) return parameters;
  throw new KserveError(400, `the request has ${quote(parameters)} as "parameters", where an object is expected`);
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
