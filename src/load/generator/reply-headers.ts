/** Value of the first header of that name (lower case) in a list of name, value, name, value. */
export function findHeader(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/**
 * Queue and compute time of a `Server-Timing` header, microseconds; NaN where it does not name one.
 *
 * Durations in the header are milliseconds, e.g. `queue;dur=0.123, compute;dur=4.321`.
 * Source: W3C Server Timing, section 3.
 */
export function parseServerTiming(value: string | undefined): { readonly queueUs: number; readonly computeUs: number } {
  let queueUs = Number.NaN;
  let computeUs = Number.NaN;
  for (const metric of value?.split(',') ?? []) {
    const [name, ...parameters] = metric.split(';').map((part) => part.trim());
    if (name !== 'queue' && name !== 'compute') continue;
    const duration = parameters.find((parameter) => /^dur\s*=/i.test(parameter));
    const match = /^dur\s*=\s*"?(\d+(?:\.\d+)?)"?$/i.exec(duration ?? '');
    if (match === null) continue;
    if (name === 'queue') queueUs = Number(match[1]) * 1000;
    else computeUs = Number(match[1]) * 1000;
  }
  return { queueUs, computeUs };
}

/** How long the server keeps an idle connection, milliseconds, from its `Keep-Alive: timeout=N` header; Infinity where it does not say. */
export function parseKeepAliveMs(value: string | undefined): number {
  const match = /(?:^|[,\s])timeout\s*=\s*(\d+)/i.exec(value ?? '');
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]) * 1000;
}
