import { z } from 'zod';
import { parseCpuList } from '../cpu-list.ts';

/**
 * Scalars as a user writes them. Each schema carries, as its error, what it expects: the words that follow "Give ..." in a message.
 */

const MS_PER_UNIT = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 } as const;
const BYTES_PER_UNIT = { kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

const MEMORY = /^(\d+(?:\.\d+)?)\s?(kB|KB|MB|GB|KiB|MiB|GiB)$/;
const DURATION = /^(\d+(?:\.\d+)?)\s?(ms|s|m|h)$/;
const FREQUENCY = /^(\d+(?:\.\d+)?)\s?(MHz|GHz)$/;
const PERCENT = /^(\d+(?:\.\d+)?)\s?%$/;

/** Duration -> milliseconds, e.g. "500ms", "5s", "2m". */
export function durationMs(example: string) {
  const error = `a duration with its unit (ms, s, m, h), e.g. ${example}`;
  return z
    .string({ error })
    .regex(DURATION, { error })
    .transform((text) => {
      const [, amount, unit] = DURATION.exec(text) as unknown as [string, string, keyof typeof MS_PER_UNIT];
      return Number(amount) * MS_PER_UNIT[unit];
    });
}

/** Duration -> seconds. */
export function durationS(example: string) {
  return durationMs(example).transform((ms) => ms / 1e3);
}

/** Duration above zero -> seconds. */
export function positiveDurationS(example: string) {
  return durationS(example).refine((seconds) => seconds > 0, { error: `a duration above zero, e.g. ${example}` });
}

/** Percentage above 0 and below 100 -> share, e.g. "10%" -> 0.1. */
export function percent(example: string) {
  const error = `a percentage between 0% and 100%, e.g. ${example}`;
  return z
    .string({ error })
    .regex(PERCENT, { error })
    .transform((text) => Number(PERCENT.exec(text)?.[1]) / 100)
    .refine((share) => share > 0 && share < 1, { error });
}

/** Percentage above 0 and at most `most`, which need not be below 100 -> share, e.g. "180%" -> 1.8. */
export function percentAboveZero(example: string, most = Number.POSITIVE_INFINITY) {
  const error = `a percentage above 0%${Number.isFinite(most) ? ` and at most ${most}%` : ''}, e.g. ${example}`;
  return z
    .string({ error })
    .regex(PERCENT, { error })
    .transform((text) => Number(PERCENT.exec(text)?.[1]) / 100)
    .refine((share) => share > 0 && share <= most / 100, { error });
}

/** Memory -> bytes; MB is 10^6 bytes, MiB 2^20. */
export function memoryBytes() {
  const error = 'an amount of memory with its unit (kB, MB, GB, KiB, MiB, GiB), e.g. 512MB';
  return z
    .string({ error })
    .regex(MEMORY, { error })
    .transform((text) => {
      const [, amount, unit] = MEMORY.exec(text) as unknown as [string, string, keyof typeof BYTES_PER_UNIT];
      return Math.round(Number(amount) * BYTES_PER_UNIT[unit]);
    })
    .refine((bytes) => bytes > 0, { error });
}

/** Frequency -> kHz, e.g. "1.8GHz", "1800MHz". */
export function frequencyKhz() {
  const error = 'a frequency with its unit (MHz, GHz), e.g. 1.8GHz';
  return z
    .string({ error })
    .regex(FREQUENCY, { error })
    .transform((text) => {
      const [, amount, unit] = FREQUENCY.exec(text) ?? [];
      return Math.round(Number(amount) * (unit === 'GHz' ? 1e6 : 1e3));
    })
    .refine((khz) => khz > 0, { error });
}

/** A CPU list as the kernel writes it, e.g. "0-2,5". A single CPU may be written as a number. */
export function cpuList() {
  const error = 'CPU numbers as a list, e.g. "0-2,5"';
  return z
    .union([z.string(), z.int().nonnegative()], { error })
    .transform(String)
    .refine((text) => parseCpuList(text) !== undefined, { error });
}

export function wholeNumber(smallest: number, example: number) {
  const error = `a whole number of at least ${smallest}, e.g. ${example}`;
  return z.int({ error }).min(smallest, { error });
}

/** Where a server listens. */
export function portNumber() {
  const error = 'a port from 0 to 65535, e.g. 8080';
  return z.int({ error }).min(0, { error }).max(65_535, { error });
}

export function positiveNumber(example: number) {
  const error = `a number above 0, e.g. ${example}`;
  return z.number({ error }).positive({ error });
}

export function choice<const T extends readonly [string, ...string[]]>(options: T) {
  return z.enum(options, { error: `one of: ${options.join(', ')}` });
}

export function text(error: string) {
  return z.string({ error }).trim().min(1, { error });
}

/** Base address of a server, without a slash at its end. */
export function httpUrl() {
  const error = 'the address of an HTTP server, e.g. http://10.0.0.5:8000';
  return z
    .string({ error })
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), { error })
    .transform((text) => text.replace(/\/+$/, ''));
}
