import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelError, messageOf } from '../../errors.ts';
import { digestOf } from '../cached-file.ts';
import type { RemoteModel } from './zoo.ts';

export interface DownloadOptions {
  /** Longest wait for the next bytes. */
  readonly stallMs?: number;
  readonly attempts?: number;
  /** Wait before the second attempt; twice as long before each one after. */
  readonly waitMs?: number;
}

/** What a server answers that may answer otherwise a moment later: too slow, too many requests, and all its own errors. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;
const RANGE_NOT_SATISFIABLE = 416;

/**
 * Downloads a file to its place, whole and verified, or not at all.
 *
 * What arrived of a broken download stays beside it as `.part`, and the next attempt, in this call or another, goes on from there. A connection that fails, breaks or stalls and an
 * answer that may be another a moment later (408, 429, 5xx) are tried again; any other HTTP error is final. A file of another digest is thrown away.
 * @throws ModelError if it cannot be had: no connection, an HTTP error, other bytes than promised
 */
export async function download(
  { url, sha256, bytes }: Omit<RemoteModel, 'summary'>,
  target: string,
  { stallMs = 30_000, attempts = 4, waitMs = 500 }: DownloadOptions = {},
): Promise<void> {
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  let reason: unknown;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(waitMs * 2 ** (attempt - 1));
    try {
      await fetchRest(url, part, bytes, stallMs);
      if ((await sizeOf(part)) >= bytes) break;
      reason = new Error(`the connection ended after ${await sizeOf(part)} of ${bytes} bytes`);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      reason = error;
    }
  }
  const size = await sizeOf(part);
  if (size < bytes) throw unreachableFile(url, size, bytes, attempts, reason);
  const found = await digestOf(part);
  if (found !== sha256) {
    await rm(part, { force: true });
    throw new ModelError({
      where: url,
      what: `what arrived has SHA-256 ${found}, and ${sha256} was expected`,
      hint: 'It was thrown away. A proxy or mirror may have changed it; try again, or another mirror.',
    });
  }
  await rename(part, target);
}

async function fetchRest(url: string, part: string, bytes: number, stallMs: number): Promise<void> {
  const have = await sizeOf(part);
  if (have >= bytes) return;
  const stalled = new AbortController();
  const stall = () => stalled.abort(new Error(`nothing came for ${stallMs / 1000} s`));
  let timer = setTimeout(stall, stallMs);
  let missing = bytes;
  try {
    const headers = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await fetch(url, { headers, signal: stalled.signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      // What is there goes on in no file of this server.
      if (response.status === RANGE_NOT_SATISFIABLE) await rm(part, { force: true });
      throw refusal(url, response);
    }
    // A server that knows no ranges sends everything again.
    const isRest = response.status === 206;
    missing = isRest ? bytes - have : bytes;
    const watch = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(stall, stallMs);
        missing -= chunk.length;
        // It is another file, and one without an end must not fill the disk.
        if (missing < 0) done(tooLong(url, bytes));
        else done(null, chunk);
      },
    });
    const file = createWriteStream(part, { flags: isRest ? 'a' : 'w' });
    await pipeline(Readable.fromWeb(response.body as ReadableStream), watch, file, { signal: stalled.signal });
  } catch (error) {
    if (missing < 0) await rm(part, { force: true });
    throw stalled.signal.aborted ? stalled.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** A ModelError where another attempt would be answered the same. */
function refusal(where: string, { status, statusText }: Response): Error {
  const what = `the server answered ${status} ${statusText}`.trim();
  if (isPassing(status) || status === RANGE_NOT_SATISFIABLE) return new Error(what);
  return new ModelError({ where, what, hint: 'Check the address, or name a mirror with --mirror.' });
}

function tooLong(where: string, bytes: number): ModelError {
  return new ModelError({
    where,
    what: `more than the ${bytes} bytes expected arrived`,
    hint: 'They were thrown away. A proxy or mirror may have changed the file; try again, or another mirror.',
  });
}

function unreachableFile(url: string, size: number, bytes: number, attempts: number, reason: unknown): ModelError {
  const cause = reason instanceof Error && reason.cause !== undefined ? messageOf(reason.cause) : messageOf(reason);
  return new ModelError(
    {
      where: url,
      what: `${size === 0 ? 'nothing' : `only ${size} of ${bytes} bytes`} could be downloaded in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, the last of which ended so: ${cause}`,
      hint: 'Without a network, models cannot be pulled. What arrived is kept: the same command goes on from there. --mirror names another server.',
    },
    reason,
  );
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
