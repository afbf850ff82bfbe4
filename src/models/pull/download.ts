import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { ModelError, messageOf } from '../../errors.ts';
import { digestOf } from '../cached-file.ts';
import type { RemoteModel } from './zoo.ts';

export interface DownloadOptions {
  /** Longest wait for the next bytes. */
  readonly stallMs?: number;
  readonly attempts?: number;
}

/**
 * Downloads a file to its place, whole and verified, or not at all.
 *
 * What arrived of a broken download stays beside it as `.part`, and the next attempt, in this call or another, goes on from there. A file of another digest is thrown away.
 * @throws ModelError if it cannot be had: no connection, an HTTP error, other bytes than promised
 */
export async function download(
  { url, sha256, bytes }: Omit<RemoteModel, 'summary'>,
  target: string,
  { stallMs = 30_000, attempts = 3 }: DownloadOptions = {},
): Promise<void> {
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  let reason: unknown;
  for (let attempt = 0; attempt < attempts; attempt++) {
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
  if (size < bytes) throw unreachableFile(url, size, bytes, reason);
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
      throw new ModelError({
        where: url,
        what: `the server answered ${response.status} ${response.statusText}`.trim(),
        hint: 'Check the address, or name a mirror with --mirror.',
      });
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

function tooLong(where: string, bytes: number): ModelError {
  return new ModelError({
    where,
    what: `more than the ${bytes} bytes expected arrived`,
    hint: 'They were thrown away. A proxy or mirror may have changed the file; try again, or another mirror.',
  });
}

function unreachableFile(url: string, size: number, bytes: number, reason: unknown): ModelError {
  const cause = reason instanceof Error && reason.cause !== undefined ? messageOf(reason.cause) : messageOf(reason);
  return new ModelError(
    {
      where: url,
      what:
        size === 0
          ? `nothing could be downloaded: ${cause}`
          : `only ${size} of ${bytes} bytes could be downloaded: ${cause}`,
      hint: 'Without a network, models cannot be pulled. What arrived is kept: the same command goes on from there. --mirror names another server.',
    },
    reason,
  );
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
