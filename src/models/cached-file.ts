import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ModelError, messageOf } from '../errors.ts';

const LEFTOVER_AGE_MS = 10 * 60_000;

/** SHA-256 of a file, hex; undefined where there is no such file or it cannot be read. */
export async function digestOf(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

/**
 * Writes a file so that others see it whole or not at all: under a temporary name beside it, then renamed.
 *
 * Several processes may write the same file at once; the last one wins, and a reader that has it open keeps what it opened.
 * @throws ModelError if the folder cannot be written, e.g. a full disk
 */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await removeLeftovers(file);
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new ModelError(
      {
        where: file,
        what: `the model's file could not be written: ${messageOf(error)}`,
        hint: 'Free some space, or check that the cache folder may be written to.',
      },
      error,
    );
  }
}

/** Temporary files of writers that were killed. One that is minutes old has no writer any more. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(file)}.`) || !name.endsWith('.tmp')) continue;
    const leftover = join(folder, name);
    // Another process may have renamed or removed it just now.
    const { mtimeMs } = (await stat(leftover).catch(() => undefined)) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(leftover, { force: true });
  }
}
