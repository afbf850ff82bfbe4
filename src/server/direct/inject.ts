import type { FastifyInstance } from 'fastify';
import type { DirectAnswer } from './connection.ts';
import type { RequestHead } from './request-head.ts';

/** A path that means the same however it is read. */
export const PLAIN_PATH = /^(?:\/[\w-][\w.-]*)+$/;

/** Answers a GET or HEAD as if it had come over a connection of Node's. */
export async function inject(app: FastifyInstance, { method, target, headers }: RequestHead): Promise<DirectAnswer> {
  const response = await app.inject({ method: method as 'GET' | 'HEAD', url: target, headers });
  const { connection: _, date: _own, ...fields } = response.headers;
  const texts = Object.entries(fields).map(([name, value]) => [name, String(value)]);
  return { status: response.statusCode, headers: Object.fromEntries(texts), body: response.rawPayload };
}
