import type { FastifyReply, FastifyRequest } from 'fastify';
import { MS_PER_S, monotonicNs } from '../units.ts';
import type { GatewayParts } from './app.ts';
import { type ForwardedRequest, httpExchange } from './attempt.ts';
import { errorAnswer } from './error-answer.ts';
import { forward } from './forward.ts';
import { requestFields } from './header-fields.ts';
import { HeldBody, tooLarge } from './held-body.ts';
import { HttpReply, type Reply } from './reply.ts';
import type { Route } from './routes.ts';
import type { GatewaySettings } from './types.ts';

interface Handled {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly method: ForwardedRequest['method'];
  /** What stands behind model and version in the path. */
  readonly end: string;
}

/** Passes a request on to a target of the model that its path names; its body goes through as it comes. */
export async function passOn(
  route: Route,
  { request, reply, method, end }: Handled,
  parts: Pick<GatewayParts, 'settings' | 'events' | 'onError'>,
): Promise<void> {
  const startNs = monotonicNs();
  const { version } = request.params as { readonly version?: string };
  const rest = `${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}${end}${queryOf(request)}`;
  const body = method === 'POST' ? holdBody(request, parts.settings.bodyLimitBytes) : undefined;
  reply.hijack();
  const headers = requestFields(request.headers, body !== undefined);
  await forwardAndTell(route, { method, rest, headers, body }, new HttpReply(reply.raw), startNs, parts);
  body?.discard();
}

/** Has a request answered, by the gateway itself where no target does. Never rejects. @param startNs - when its head was there */
export async function forwardAndTell(
  route: Route,
  request: ForwardedRequest,
  reply: Reply,
  startNs: number,
  parts: Pick<GatewayParts, 'settings' | 'events' | 'onError'>,
): Promise<void> {
  const { settings, events } = parts;
  try {
    await forward(route, httpExchange(request, reply), events, retryAfterS(settings));
    if (request.body !== undefined) events.onDone(route, monotonicNs() - startNs);
  } catch (error) {
    const { status, headers, body } = errorAnswer(error, parts);
    events.onFailure(route, `${status}`);
    reply.begin(status, headers);
    reply.write(body);
    reply.end();
  }
}

/** When a client that found no server may try again. */
export function retryAfterS({ pollIntervalMs }: Pick<GatewaySettings, 'pollIntervalMs'>): number {
  return Math.max(1, Math.ceil(pollIntervalMs / MS_PER_S));
}

function queryOf({ url }: FastifyRequest): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

function holdBody({ raw, headers }: FastifyRequest, limitBytes: number): HeldBody {
  if (Number(headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  return new HeldBody(raw, limitBytes);
}
