import type { ClassScore } from '../models/types.ts';
import { isObject, parseJsonObject } from './json-text.ts';
import { KserveError, quote } from './kserve-error.ts';
import { jsonMessage } from './message.ts';
import type { WireMessage } from './types.ts';

/** An extension of dse's own server: the body of `POST /v2/models/{name}/classify` is a JPEG or PNG file, and the answer names classes. */
export function classifyPath(modelName: string): string {
  return `/v2/models/${encodeURIComponent(modelName)}/classify`;
}

/** What a request may ask for in its query. */
export interface ClassificationOptions {
  /** Classes in the answer. */
  readonly top: number;
  /** As the parameter `timeout` of an inference request. */
  readonly timeout: number | undefined;
}

export const DEFAULT_TOP = 5;

export interface Classification {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Likeliest first. */
  readonly predictions: readonly ClassScore[];
  readonly caveat: string | undefined;
}

/** @throws KserveError with status 400 for what is not known, or no number in its range */
export function readClassificationOptions(query: Readonly<Record<string, unknown>>): ClassificationOptions {
  const { top = String(DEFAULT_TOP), timeout, ...others } = query;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new KserveError(400, `the query has ${quote(unknown)}; "top" and "timeout" are known`);
  }
  return {
    top: readCount('top', top, 1),
    timeout: timeout === undefined ? undefined : readCount('timeout', timeout, 0),
  };
}

function readCount(name: string, value: unknown, least: number): number {
  const count = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
  if (count >= least) return count;
  throw new KserveError(400, `the query has ${quote(value)} as "${name}", where a whole number is expected`);
}

export function encodeClassification({ modelName, modelVersion, predictions, caveat }: Classification): WireMessage {
  const named = { model_name: modelName, model_version: modelVersion };
  return jsonMessage(JSON.stringify({ ...named, predictions, ...(caveat !== undefined && { caveat }) }));
}

/**
 * Classes of an answer, likeliest first.
 * @throws KserveError with status 502 where it is no such answer
 */
export function decodeClassification(body: Uint8Array): readonly number[] {
  const { predictions } = parseJsonObject(body, 502, 'the answer');
  const classes = Array.isArray(predictions) ? predictions.map((one) => (isObject(one) ? one.class : undefined)) : [];
  if (classes.length > 0 && classes.every((one) => Number.isInteger(one))) return classes as number[];
  throw new KserveError(502, `the answer has ${quote(predictions)} as its predictions, where classes are expected`);
}
