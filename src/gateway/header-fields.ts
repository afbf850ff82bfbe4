import type { IncomingHttpHeaders } from 'node:http';

/** Header fields by name in lower case; the values of one that came several times in a list. */
export type Fields = Record<string, string | string[]>;

/** Fields that are about one connection and end with it. Source: RFC 9110, section 7.6.1. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields that the gateway has answered itself, or that name it. */
const OF_GATEWAY: ReadonlySet<string> = new Set(['host', 'expect']);

/** What of a request's header goes on to an upstream. */
export function requestFields(headers: IncomingHttpHeaders, hasBody: boolean): Fields {
  return without(
    headers,
    (name) => OF_CONNECTION.has(name) || OF_GATEWAY.has(name) || (!hasBody && name === 'content-length'),
  );
}

/** What of an upstream's header goes on to the client. */
export function answerFields(headers: IncomingHttpHeaders): Fields {
  return without(headers, (name) => OF_CONNECTION.has(name));
}

/** Fields that a Connection field names are the connection's too. */
function without(headers: IncomingHttpHeaders, isDropped: (name: string) => boolean): Fields {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/);
  const kept: Fields = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isDropped(name) && !named?.includes(name)) kept[name] = value;
  }
  return kept;
}
