import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { KserveError, parseJsonObject, quote } from '../kserve/index.ts';
import {
  answerBrokenRequest,
  answerConnect,
  answerExpectation,
  BufferPool,
  REQUEST_TIMEOUT_MS,
  serveDirectly,
} from '../server/index.ts';
import { answerDirectly, isTakenDirectly } from './direct-requests.ts';
import { errorAnswer } from './error-answer.ts';
import { HeldBody } from './held-body.ts';
import { mergeIndexes } from './merge-indexes.ts';
import { gatewayMetadata } from './metadata.ts';
import type { GatewayEvents } from './metrics.ts';
import { passOn } from './pass-on.ts';
import { INDEX_PATH } from './read-models.ts';
import { type Route, type Routes, stateOfRoute } from './routes.ts';
import { statusOf } from './status.ts';
import type { GatewaySettings } from './types.ts';
import type { Upstream } from './upstream.ts';

export interface GatewayParts {
  readonly settings: GatewaySettings;
  readonly upstreams: readonly Upstream[];
  readonly routes: Routes;
  readonly registry: Registry;
  readonly events: GatewayEvents;
  readonly onError: (error: unknown) => void;
}

/** Memory of request bodies kept between requests. */
const KEPT_BYTES = 32e6;

/** An index is asked for with a few words. */
const INDEX_BODY_LIMIT_BYTES = 64 * 1024;

/**
 * The HTTP side of the gateway: the routes of KServe V2 over the models of all its upstreams.
 *
 * Requests on a model go on to a target; what is about the whole gateway (metadata, health, index) it answers itself. Its own errors have the protocol's form.
 * Source: Open Inference Protocol, REST; https://github.com/kserve/open-inference-protocol
 */
export function buildGateway(parts: GatewayParts): FastifyInstance {
  const { settings, routes, upstreams, registry, events } = parts;
  const app = fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, _request, reply) => sendError(error, reply as FastifyReply, parts),
  });
  app.server.on('checkExpectation', answerExpectation).on('connect', answerConnect);
  // Bodies are not read here: they go through.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, request, reply) => {
    const sent = sendError(error, reply, parts);
    events.onFailure(routeOf(request, routes), `${reply.statusCode}`);
    return sent;
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new KserveError(404, `there is no ${request.method} ${quote(request.url)} on this gateway`),
      reply,
      parts,
    ),
  );

  app.get('/v2', async () => gatewayMetadata());
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    const ready = routes.isReady;
    return reply.code(ready ? 200 : 503).send({ live: true, ready });
  });
  app.get('/gateway', async () => statusOf(parts));
  app.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
  app.post(INDEX_PATH, async (request) => mergeIndexes(routes.list(), upstreams, await readIndexOptions(request)));
  app.get('/v2/models/:model/ready', async (request, reply) => {
    const route = routeFor(request, routes);
    const ready = stateOfRoute(route) === 'ready';
    return reply.code(ready ? 200 : 503).send({ name: route.name, ready });
  });
  const handle = (method: 'GET' | 'POST', end: string) => async (request: FastifyRequest, reply: FastifyReply) =>
    passOn(routeFor(request, routes), { request, reply, method, end }, parts);
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(path, handle('GET', ''));
    app.post(`${path}/infer`, handle('POST', '/infer'));
    app.post(`${path}/classify`, handle('POST', '/classify'));
  }
  app.get('/v2/models/:model/versions/:version/ready', handle('GET', '/ready'));
  const pool = new BufferPool(KEPT_BYTES);
  const closeDirect = serveDirectly(app.server, {
    pool,
    bodyLimitBytes: settings.bodyLimitBytes,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    takes: (head) => isTakenDirectly(head, routes),
    answer: (head, { bytes }, client) => answerDirectly(head, bytes, client, app, pool, parts),
  });
  app.addHook('preClose', async () => closeDirect(settings.drainTimeoutMs));
  return app;
}

function routeOf({ params }: FastifyRequest, routes: Routes): Route | undefined {
  const { model } = params as { readonly model?: string };
  return model === undefined ? undefined : routes.find(model);
}

function routeFor(request: FastifyRequest, routes: Routes): Route {
  const route = routeOf(request, routes);
  if (route !== undefined) return route;
  const { model } = request.params as { readonly model: string };
  throw new KserveError(404, `this gateway has no model ${quote(model)}`);
}

async function readIndexOptions({ raw }: FastifyRequest): Promise<{ readonly isReadyOnly: boolean }> {
  const held = new HeldBody(raw, INDEX_BODY_LIMIT_BYTES);
  const chunks: Buffer[] = [];
  for await (const chunk of held.read()) chunks.push(chunk);
  if (chunks.length === 0) return { isReadyOnly: false };
  const { ready = false } = parseJsonObject(Buffer.concat(chunks), 400, 'the request');
  if (typeof ready === 'boolean') return { isReadyOnly: ready };
  throw new KserveError(400, `the request has ${quote(ready)} as "ready", where true or false is expected`);
}

function sendError(error: unknown, reply: FastifyReply, parts: Pick<GatewayParts, 'onError'>): FastifyReply {
  const { status, headers, body } = errorAnswer(error, parts);
  return reply.code(status).headers(headers).send(body);
}
