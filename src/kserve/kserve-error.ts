/**
 * A message that does not follow the protocol, or that asks for something the model does not have.
 *
 * `message` is one sentence for the other side and goes out as `{"error": message}` with `status`. It is not a DseError: it ends one request, never an experiment.
 */
export class KserveError extends Error {
  /** HTTP status: 4xx for a request that was refused, 502 for a server's answer that could not be read. */
  readonly status: number;
  /** Seconds after which it is worth trying again; undefined where that would not help, or nobody knows. */
  readonly retryAfterS: number | undefined;

  constructor(status: number, message: string, { retryAfterS }: { readonly retryAfterS?: number } = {}) {
    super(message);
    this.name = 'KserveError';
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

const LONGEST_QUOTE = 80;

/** A received value as it may be quoted in a message: JSON, cut to a length that keeps an answer small whatever was sent. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, LONGEST_QUOTE + 1)) : quoteStructure(value);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
}

function quoteStructure(value: unknown): string {
  if (Array.isArray(value))
    return value.length > 16 ? `an array of ${value.length} values` : `[${value.map(quoteItem)}]`;
  if (value !== null && typeof value === 'object') return 'an object';
  return String(value);
}

function quoteItem(value: unknown): string {
  return value !== null && typeof value === 'object' ? '...' : quote(value);
}
