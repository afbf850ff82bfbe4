import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { messageOf } from '../errors.ts';
import { encodeError, KserveError, parseJsonObject, quote } from '../kserve/index.ts';
import { packageVersion } from '../package-files.ts';
import { answerBrokenRequest, answerConnect, answerExpectation, REQUEST_TIMEOUT_MS } from '../server/index.ts';
import { MS_PER_S, monotonicNs } from '../units.ts';
import type { ForwardedRequest } from './attempt.ts';
import { forward } from './forward.ts';
import { requestFields } from './header-fields.ts';
import { HeldBody, tooLarge } from './held-body.ts';
import { mergeIndexes } from './merge-indexes.ts';
import type { GatewayEvents } from './metrics.ts';
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

/** An index is asked for with a few words. */
const INDEX_BODY_LIMIT_BYTES = 64 * 1024;

/**
 * The HTTP side of the gateway: the routes of KServe V2 over the models of all its upstreams.
 *
 * Requests on a model go on to a target; what is about the whole gateway (metadata, health, index) it answers itself. Its own errors have the protocol's form.
 * Source: Open Inference Protocol, REST; https://github.com/kserve/open-inference-protocol
 */
export function buildGateway(parts: GatewayParts): FastifyInstance {
  const { routes, upstreams, registry, events } = parts;
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

  app.get('/v2', async () => ({ name: 'dse-gateway', version: packageVersion(), extensions: ['binary_tensor_data'] }));
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    const all = routes.list();
    const ready = all.length > 0 && all.every((route) => stateOfRoute(route) === 'ready');
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
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(path, passOn('GET', '', parts));
    app.post(`${path}/infer`, passOn('POST', '/infer', parts));
    app.post(`${path}/classify`, passOn('POST', '/classify', parts));
  }
  app.get('/v2/models/:model/versions/:version/ready', passOn('GET', '/ready', parts));
  return app;
}

/** Handles a request by passing it on to a target of the model that its path names. */
function passOn(method: ForwardedRequest['method'], end: string, parts: GatewayParts) {
  const { routes, settings, events } = parts;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const startNs = monotonicNs();
    const route = routeFor(request, routes);
    const { version } = request.params as { readonly version?: string };
    const rest = `${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}${end}${queryOf(request)}`;
    const body = method === 'POST' ? holdBody(request, settings.bodyLimitBytes) : undefined;
    reply.hijack();
    try {
      const forwarded = { method, rest, headers: requestFields(request.headers, body !== undefined), body };
      await forward(route, forwarded, reply.raw, events, retryAfterS(settings));
      if (body !== undefined) events.onDone(route, monotonicNs() - startNs);
    } catch (error) {
      const { status, headers, text } = errorAnswer(error, parts);
      events.onFailure(route, `${status}`);
      reply.raw.writeHead(status, headers).end(text);
    } finally {
      body?.discard();
    }
  };
}

function queryOf({ url }: FastifyRequest): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

function holdBody({ raw, headers }: FastifyRequest, limitBytes: number): HeldBody {
  if (Number(headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  return new HeldBody(raw, limitBytes);
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

function retryAfterS({ pollIntervalMs }: GatewaySettings): number {
  return Math.max(1, Math.ceil(pollIntervalMs / MS_PER_S));
}

interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: Uint8Array;
}

function errorAnswer(error: unknown, { onError }: Pick<GatewayParts, 'onError'>): ErrorAnswer {
  const isOurs = error instanceof KserveError;
  const status = isOurs ? error.status : ((error as Partial<FastifyError>).statusCode ?? 500);
  if (status === 500) onError(error);
  const { headers, body } = encodeError(messageOf(error));
  const retryAfter = isOurs ? error.retryAfterS : undefined;
  const fields = {
    ...headers,
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    // What has not come of the body by now is not waited for.
    ...(status === 413 && { connection: 'close' }),
  };
  return { status, headers: fields, text: body };
}

function sendError(error: unknown, reply: FastifyReply, parts: Pick<GatewayParts, 'onError'>): FastifyReply {
  const { status, headers, text } = errorAnswer(error, parts);
  return reply.code(status).headers(headers).send(text);
}
