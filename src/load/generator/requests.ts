import { LoadError } from '../../errors.ts';
import type { LoadTarget } from '../types.ts';

/** Bytes of a request as they go over the socket (of gRPC, the message with its prefix), and what its answer should say. */
export interface PreparedRequest {
  readonly bytes: Buffer;
  /** The right class of each item of the batch, where the samples are labelled. */
  readonly labels: readonly number[] | undefined;
}

/** How a reply with a status of success is judged. */
export interface Judgement {
  /** False where the reply is not an answer to the request. */
  readonly isAnswer: boolean;
  /** Items whose top answer, or one of whose first five, was the label; -1 where the request carries no labels. */
  readonly top1Correct: number;
  readonly top5Correct: number;
}

/** Everything that one target needs to be loaded. */
export interface PreparedTarget {
  readonly transport: 'http' | 'grpc';
  /** Where to; for gRPC host and port alone. */
  readonly url: string;
  readonly method: string;
  /** Never empty. */
  readonly requests: readonly PreparedRequest[];
  /** Positions of the requests in the order they are sent, begun anew for each run. In turn where absent. */
  readonly makeOrder?: () => () => number;
  /** Absent where every reply with a status of success is as good as any. */
  readonly judge?: (request: PreparedRequest, headers: readonly string[], body: Buffer) => Judgement;
}

export function prepareHttpTarget(target: Extract<LoadTarget, { kind: 'http' }>): PreparedTarget {
  const bytes = encodeHttpRequest(target.method, parseHttpUrl(target.url), target.headers, target.body);
  return {
    transport: 'http',
    url: target.url,
    method: target.method.toUpperCase(),
    requests: [{ bytes, labels: undefined }],
  };
}

/** @throws LoadError for an address that is not an absolute HTTP address */
export function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new LoadError({
    what: `"${text}" is not the address of an HTTP server`,
    hint: 'Give a full address, e.g. http://127.0.0.1:8080/v2/health/ready',
  });
}

/**
 * Bytes of an HTTP/1.1 request on a connection that stays open, body included.
 *
 * `Host` and `Content-Length` are filled in where `headers` does not name them.
 * @throws LoadError for a method or header that would break the request apart
 */
export function encodeHttpRequest(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
): Buffer {
  if (!/^[A-Za-z]+$/.test(method)) {
    throw new LoadError({ what: `"${method}" is not an HTTP method`, hint: 'Give a method such as GET or POST.' });
  }
  const named = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = [`${method.toUpperCase()} ${url.pathname}${url.search} HTTP/1.1`];
  if (!named.has('host')) lines.push(`Host: ${url.host}`);
  if (body !== undefined && !named.has('content-length')) lines.push(`Content-Length: ${body.length}`);
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || /[\r\n]/.test(value)) {
      throw new LoadError({ what: `"${name}: ${value}" is not an HTTP header`, hint: 'Give headers as Name: value.' });
    }
    lines.push(`${name}: ${value}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}
