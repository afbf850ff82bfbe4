import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, StoreError } from '../errors.ts';

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC:
    'Everything recorded so far is safe. Free space on this disk, then run the same command again: it goes on where it stopped.',
  EDQUOT:
    'Everything recorded so far is safe. Free space within your quota, then run the same command again: it goes on where it stopped.',
  EACCES: 'Give this user permission to it, or choose another folder with --out DIR.',
  EPERM: 'Give this user permission to it, or choose another folder with --out DIR.',
  EROFS: 'This file system is mounted read-only. Choose another folder with --out DIR.',
  ENOTDIR: 'A part of this path is a file. Choose another folder with --out DIR.',
  EEXIST: 'A file stands where a folder is needed. Move it away, or choose another folder with --out DIR.',
  EISDIR: 'A folder stands where a file is needed. Move it away, or choose another folder with --out DIR.',
  ENOENT: 'Check the path. A folder that `dse run` made holds manifest.json and journal.jsonl.',
  EMFILE: 'This process has too many files open. Raise the limit (ulimit -n) and run the same command again.',
};

/** What the file system refused, as an error for the user. */
export function fileError(path: string, attempted: string, error: unknown): StoreError {
  const code = codeOf(error);
  return new StoreError(
    {
      where: path,
      what: `could not ${attempted}: ${code === 'ENOSPC' ? 'the disk is full' : messageOf(error)}`,
      hint:
        ADVICE[code ?? ''] ??
        'Everything recorded before is untouched. Mend the cause, then run the same command again.',
    },
    error,
  );
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** @throws StoreError where the folder cannot be made */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(path, 'make this folder', error);
  }
}

/**
 * Replaces a file by new content: a reader, and a kill at any moment, finds the old content or the new, never a part.
 * @throws StoreError where it cannot be written; the old file is then untouched
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error instanceof StoreError ? error : fileError(path, 'write this file', error);
  }
}

/** Makes the names in a folder (a file made, a file renamed) survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
