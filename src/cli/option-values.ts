import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import {
  type Arrivals,
  choice,
  durationMs,
  type EngineName,
  portNumber,
  positiveNumber,
  wholeNumber,
} from '../spec/index.ts';

/**
 * The value of a command-line option, read by the same schemas as the spec.
 *
 * @throws UsageError naming the option and quoting the text
 */
export function readOption<T>(option: string, text: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  throw new UsageError({
    where: option,
    what: `"${String(text)}" is not possible`,
    hint: `Give ${result.error.issues[0]?.message}.`,
  });
}

/** A duration such as "20s" -> milliseconds. */
export function readDurationMs(option: string, text: string): number {
  return readOption(option, text, durationMs('20s'));
}

/** A whole number of at least `smallest`. */
export function readWholeNumber(option: string, text: string, smallest: number): number {
  return readOption(option, asInteger(text), wholeNumber(smallest, Math.max(1, smallest)));
}

/** A port to listen on. */
export function readPort(option: string, text: string): number {
  return readOption(option, asInteger(text), portNumber());
}

function asInteger(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** A number above 0. */
export function readPositiveNumber(option: string, text: string): number {
  return readOption(option, text.trim() === '' ? text : Number(text), positiveNumber(50));
}

export function readArrivals(option: string, text: string): Arrivals {
  return readOption(option, text, choice(['poisson', 'constant']));
}

export function readEngine(option: string, text: string): EngineName {
  return readOption(option, text, choice(['native', 'docker', 'podman']));
}

/** Names separated by commas. */
export function parseNames(text = ''): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
