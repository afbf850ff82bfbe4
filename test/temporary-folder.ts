import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestProject } from 'vitest/node';

const PREFIX = 'dse-tests-';

let folder: string | undefined;

/** Gives all test files of a run, and what they start, one temporary folder, and removes it with everything in it at the end. */
export function setup(_project: TestProject): void {
  // Vitest calls this for each of its projects: the first of them makes the folder, so that it is not one within another, too deep for a socket's path.
  if (basename(tmpdir()).startsWith(PREFIX)) return;
  folder = mkdtempSync(join(tmpdir(), PREFIX));
  // Some tests serve from it as another user.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
}

export function teardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}
