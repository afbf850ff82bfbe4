import type { FastifyInstance } from 'fastify';
import {
  type BufferPool,
  type DirectAnswer,
  type DirectClient,
  inject,
  PLAIN_PATH,
  type RequestHead,
  type StreamedAnswer,
} from '../server/index.ts';
import type { GatewayParts } from './app.ts';
import { DirectReply } from './direct-reply.ts';
import { type Fields, requestFields } from './header-fields.ts';
import { WholeBody } from './held-body.ts';
import { forwardAndTell } from './pass-on.ts';
import type { Routes } from './routes.ts';

/** Bodies of up to so many bytes are read whole before they are sent on; larger ones go through as they come. */
const WHOLE_BODY_BYTES = 2 ** 20;

/** Inference on a model whose name and version need no decoding. */
const MODEL_PATH = /^\/v2\/models\/([\w.-]+)((?:\/versions\/[\w.-]+)?\/(?:infer|classify)(?:\?.*)?)$/;

/** What of a request's head goes on. */
interface PassedHead {
  readonly model: string;
  readonly rest: string;
  readonly headers: Fields;
}

/** A client sends the same head again and again, and gets the same object for it. */
const known = new WeakMap<RequestHead, PassedHead>();

/** Whether a request needs none of what Node's HTTP server does for others: an inference of a known, small size, or one without a body. */
export function isTakenDirectly(head: RequestHead, routes: Routes): boolean {
  if (head.method !== 'POST') return PLAIN_PATH.test(head.target);
  if (head.contentLength > WHOLE_BODY_BYTES) return false;
  const passed = readHead(head);
  return passed !== undefined && routes.find(passed.model) !== undefined;
}

/** Answers a request that was taken. Never rejects. */
export async function answerDirectly(
  head: RequestHead,
  bytes: Uint8Array<ArrayBuffer>,
  client: DirectClient,
  app: FastifyInstance,
  pool: BufferPool,
  parts: GatewayParts,
): Promise<DirectAnswer | StreamedAnswer> {
  const passed = head.method === 'POST' ? readHead(head) : undefined;
  const route = passed && parts.routes.find(passed.model);
  if (passed === undefined || route === undefined) return inject(app, head);
  const reply = new DirectReply(client);
  const request = { method: 'POST', rest: passed.rest, headers: passed.headers, body: new WholeBody(bytes) } as const;
  void forwardAndTell(route, request, reply, client.headNs, parts).then(() => {
    // An answer may come, or a target be left, before all of a body was written.
    if (route.targets.every(({ upstream }) => upstream.hasAllWritten)) pool.give(bytes.buffer);
  });
  return reply.answered;
}

function readHead(head: RequestHead): PassedHead | undefined {
  const before = known.get(head);
  if (before !== undefined) return before;
  const [, model, rest] = MODEL_PATH.exec(head.target) ?? [];
  if (model === undefined || rest === undefined) return undefined;
  const passed = { model, rest, headers: requestFields(head.headers, true) };
  known.set(head, passed);
  return passed;
}
