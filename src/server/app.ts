import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { messageOf } from '../errors.ts';
import {
  type ClassificationOptions,
  DEFAULT_TOP,
  encodeError,
  type Headers,
  KserveError,
  modelMetadataJson,
  quote,
  readClassificationOptions,
} from '../kserve/index.ts';
import { answerBrokenRequest, answerConnect, answerExpectation } from './broken-request.ts';
import type { BufferPool } from './buffer-pool.ts';
import { answerClassification } from './classify-route.ts';
import { type DirectAnswer, inject, PLAIN_PATH, serveDirectly } from './direct/index.ts';
import { answerInference } from './infer-route.ts';
import { isFault } from './is-fault.ts';
import { describeModel } from './model-metadata.ts';
import type { ModelRepository } from './repository/index.ts';
import { addRepositoryRoutes } from './repository-routes.ts';
import { type RequestBody, readBody } from './request-body.ts';
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
  /** The settings that `/v2` tells besides. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** How long requests in flight may take to be answered once the server is closed, milliseconds. */
  readonly drainTimeoutMs: number;
  /** Called with errors that are the server's fault, for its log. */
  readonly onError: (error: unknown) => void;
}

/** Bodies that take longer than this to arrive are given up, milliseconds. */
export const REQUEST_TIMEOUT_MS = 120_000;

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
    frameworkErrors: (error, _request, reply) => sendError(error, reply as FastifyReply, options),
    // Node would refuse without a body; the hook below does it in the protocol's form.
    http: { requireHostHeader: false },
  });
  app.server.on('checkExpectation', answerExpectation).on('connect', answerConnect);
  app.addHook('onRequest', async (request) => {
    requireHost(request);
    // Clients label JSON and binary bodies in many ways, and fastify refuses some; the protocol goes by the Inference-Header-Content-Length alone.
    delete request.headers['content-type'];
  });
  const infer = (model: string, version: string | undefined, headers: Headers, body: RequestBody) =>
    repository.use(model, version, (loaded) => answerInference(loaded, headers, body, pool));
  const classify = (model: string, version: string | undefined, body: RequestBody, asked = PLAIN_QUESTION) =>
    repository.use(model, version, (loaded) => answerClassification(loaded, body, asked, pool));
  app.removeAllContentTypeParsers();
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

  app.get('/v2', async () => ({ ...serverMetadata(), parameters: options.parameters }));
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    const { isReady } = repository;
    return reply.code(isReady ? 200 : 503).send({ live: true, ready: isReady });
  });
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
      const answer = await infer(model, version, request.headers, bodyOf(request));
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
    app.post(`${path}/classify`, async (request, reply) => {
      const { model, version } = request.params as ModelParams;
      const asked = readClassificationOptions(request.query as Record<string, unknown>);
      const answer = await classify(model, version, bodyOf(request), asked);
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
  }
  addRepositoryRoutes(app, repository);
  app.get('/metrics', async (_request, reply) => {
    reply.type(options.registry.contentType);
    return options.registry.metrics();
  });
  const closeDirect = serveDirectly(app.server, {
    pool,
    bodyLimitBytes: options.bodyLimitBytes,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    takes: ({ method, target }) => (method === 'POST' ? MODEL_PATH : PLAIN_PATH).test(target),
    async answer(head, body) {
      const { method, target, headers } = head;
      const [, model, version, action] = MODEL_PATH.exec(target) ?? [];
      if (method !== 'POST' || model === undefined) return await inject(app, head);
      const answer = action === 'infer' ? infer(model, version, headers, body) : classify(model, version, body);
      return await answer.catch((error: unknown) => errorAnswer(error, options));
    },
  });
  app.addHook('preClose', async () => closeDirect(options.drainTimeoutMs));
  return app;
}

/** Inference on a model whose name needs no decoding. */
const MODEL_PATH = /^\/v2\/models\/([\w.-]+)(?:\/versions\/([\w.-]+))?\/(infer|classify)$/;

/** What a classification is asked for that has no query. */
const PLAIN_QUESTION: ClassificationOptions = { top: DEFAULT_TOP, timeout: undefined };

function bodyOf({ body }: FastifyRequest): RequestBody {
  if (body === undefined) throw new KserveError(400, 'the request has no body');
  return body as RequestBody;
}

function requireHost({ raw, headers }: FastifyRequest): void {
  if (raw.httpVersion === '1.1' && headers.host === undefined) {
    throw new KserveError(400, 'the request has no Host field, which HTTP/1.1 asks for');
  }
}

function refuseContentEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new KserveError(
    415,
    `the body has the content encoding ${quote(encoding)}; this server takes uncompressed bodies`,
  );
}

function sendError(error: unknown, reply: FastifyReply, options: AppOptions): FastifyReply {
  const { status, headers, body } = errorAnswer(error, options);
  return reply.code(status).headers(headers).send(body);
}

function errorAnswer(error: unknown, options: AppOptions): DirectAnswer {
  const isOurs = error instanceof KserveError;
  const status = isOurs ? error.status : ((error as Partial<FastifyError>).statusCode ?? 500);
  if (isFault(error)) options.onError(error);
  const message = isOurs || status < 500 ? messageOf(error) : `the server failed on this request: ${messageOf(error)}`;
  const { headers, body } = encodeError(message);
  const retryAfterS = isOurs ? error.retryAfterS : undefined;
  const retry = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  return { status, headers: { ...headers, ...retry }, body };
}
