import { readFileSync } from 'node:fs';

/**
 * The whole number in a file of sysfs.
 *
 * Opens the file anew each time: a driver that was unloaded, or a counter file that was replaced, is noticed.
 * @throws Error if the file cannot be read or holds no whole number
 */
export function readCounterFile(path: string): number {
  return parseCounter(path, readFileSync(path, 'utf8'));
}

/** @throws Error if the text, read from `path`, is no whole number */
export function parseCounter(path: string, text: string): number {
  if (!/^\d+\s*$/.test(text)) throw new Error(`${path} holds "${text.slice(0, 40)}", which is not a whole number`);
  return Number(text);
}
