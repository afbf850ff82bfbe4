import { createHash } from 'node:crypto';

/**
 * SHA-256 over a value's canonical JSON (object keys sorted at every depth), hex.
 *
 * Equal content gives the same hash whatever order its keys were written in; `undefined` members count as absent.
 */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('hex');
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
