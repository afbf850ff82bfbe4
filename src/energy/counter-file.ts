import { readFileSync } from 'node:fs';

/**
 * The whole number in a file of sysfs.
 *
 * Opens the file anew each time: a driver that was unloaded, or a counter file that was replaced, is noticed.
 * @throws Error if the file cannot be read or holds no whole number
 */
export function readCounterFile(path: string): number {
  const text = readFileSync(path, 'utf8').trim();
  if (!/^\d+$/.test(text)) throw new Error(`${path} holds "${text.slice(0, 40)}", which is not a whole number`);
  return Number(text);
}

/** What an error of `node:fs` says went wrong, e.g. "EACCES"; undefined for anything else that was thrown. */
export function fsErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
