/** Value of the first header of that name (lower case) in a list of name, value, name, value. */
export function findHeader(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/** What a server says of its part in an answer. */
export interface ServerTiming {
  readonly queueUs: number;
  readonly computeUs: number;
  /** 1 for an answer it remembered, 0 for one it did not; -1 where it does not say. */
  readonly cacheHit: number;
}

/**
 * Queue and compute time of a `Server-Timing` header, microseconds, NaN where it does not name one; and whether its `cache` was a `hit` or a `miss`.
 *
 * Durations in the header are milliseconds, e.g. `queue;dur=0.123, compute;dur=4.321, cache;desc=miss`.
 * Source: W3C Server Timing, section 3.
 */
export function parseServerTiming(value: string | undefined): ServerTiming {
  let queueUs = Number.NaN;
  let computeUs = Number.NaN;
  let cacheHit = -1;
  for (const metric of value?.split(',') ?? []) {
    const [name, ...parameters] = metric.split(';').map((part) => part.trim());
    if (name === 'cache') cacheHit = CACHE_RESULTS[parameters[0] ?? ''] ?? cacheHit;
    if (name !== 'queue' && name !== 'compute') continue;
    const duration = parameters.find((parameter) => /^dur\s*=/i.test(parameter));
    const match = /^dur\s*=\s*"?(\d+(?:\.\d+)?)"?$/i.exec(duration ?? '');
    if (match === null) continue;
    if (name === 'queue') queueUs = Number(match[1]) * 1000;
    else computeUs = Number(match[1]) * 1000;
  }
  return { queueUs, computeUs, cacheHit };
}

const CACHE_RESULTS: Readonly<Record<string, number>> = { 'desc=hit': 1, 'desc=miss': 0 };

/** How long the server keeps an idle connection, milliseconds, from its `Keep-Alive: timeout=N` header; Infinity where it does not say. */
export function parseKeepAliveMs(value: string | undefined): number {
  const match = /(?:^|[,\s])timeout\s*=\s*(\d+)/i.exec(value ?? '');
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]) * 1000;
}
