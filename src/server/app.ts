import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { messageOf } from '../errors.ts';
import { encodeError, KserveError, modelMetadataJson, quote } from '../kserve/index.ts';
import { answerBrokenRequest } from './broken-request.ts';
import type { BufferPool } from './buffer-pool.ts';
import { answerInference } from './infer-route.ts';
import { describeModel } from './model-metadata.ts';
import type { ModelRepository } from './repository/index.ts';
import { addRepositoryRoutes } from './repository-routes.ts';
import { readBody } from './request-body.ts';
import { serverMetadata } from './server-metadata.ts';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

export interface AppOptions {
  /** What `/metrics` shows. */
  readonly registry: Registry;
  /** Memory for request bodies, the one that the repository was given. */
  readonly pool: BufferPool;
  readonly bodyLimitBytes: number;
  /** Called with errors that are the server's fault, for its log. */
  readonly onError: (error: unknown) => void;
}

/** Bodies that take longer than this to arrive are given up, milliseconds. */
const REQUEST_TIMEOUT_MS = 120_000;

/**
 * The HTTP side of the server: the routes of KServe V2 over the models of a repository.
 *
 * Every answer that is not a success is `{"error": "..."}`, whatever went wrong and wherever.
 * Source: Open Inference Protocol, REST; https://github.com/kserve/open-inference-protocol
 */
export function buildApp(repository: ModelRepository, options: AppOptions): FastifyInstance {
  const { pool } = options;
  const app = fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    clientErrorHandler: answerBrokenRequest,
  });
  app.removeAllContentTypeParsers();
  // Clients label JSON and binary bodies in many ways; the protocol goes by the Inference-Header-Content-Length alone.
  app.addContentTypeParser('*', async (request: FastifyRequest) => {
    refuseContentEncoding(request);
    return await readBody(request.raw, options.bodyLimitBytes, pool);
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => sendError(error, reply, options));
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new KserveError(404, `there is no ${request.method} ${quote(request.url)} on this server`),
      reply,
      options,
    ),
  );

  app.get('/v2', async () => serverMetadata());
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async () => ({ live: true, ready: true }));
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(path, async (request) => {
      const { model, version } = request.params as ModelParams;
      return modelMetadataJson(describeModel(repository.peek(model, version), repository.versionsOf(model)));
    });
    app.get(`${path}/ready`, async (request, reply) => {
      const { model, version } = request.params as ModelParams;
      const { name, state } = repository.find(model, version);
      const isReady = state === 'ready';
      return reply.code(isReady ? 200 : 503).send({ name, ready: isReady });
    });
    app.post(`${path}/infer`, async (request, reply) => {
      const { model, version } = request.params as ModelParams;
      return repository.use(model, version, (loaded) => answerInference(loaded, request, reply, pool));
    });
  }
  addRepositoryRoutes(app, repository);
  app.get('/metrics', async (_request, reply) => {
    reply.type(options.registry.contentType);
    return options.registry.metrics();
  });
  return app;
}

function refuseContentEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new KserveError(
    415,
    `the body has the content encoding ${quote(encoding)}; this server takes uncompressed bodies`,
  );
}

function sendError(error: FastifyError | KserveError, reply: FastifyReply, options: AppOptions): FastifyReply {
  const status = error instanceof KserveError ? error.status : (error.statusCode ?? 500);
  if (status >= 500) options.onError(error);
  const isOurs = error instanceof KserveError;
  const message = isOurs || status < 500 ? messageOf(error) : `the server failed on this request: ${messageOf(error)}`;
  const { headers, body } = encodeError(message);
  const retryAfterS = isOurs ? error.retryAfterS : undefined;
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return reply.code(status).headers(headers).send(body);
}
