import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

let folder: string | undefined;

/** Gives all test files of a run, and what they start, one temporary folder, and removes it with everything in it at the end. */
export function setup(_project: TestProject): void {
  if (folder !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'dse-tests-'));
  // Some tests serve from it as another user.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
}

export function teardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}
