import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file that ships with dse, given relative to its root folder. */
export function packageFile(relativePath: string): string {
  return fileURLToPath(new URL(`../${relativePath}`, import.meta.url));
}

/**
 * Absolute path of a compiled module that is started as a process of its own, e.g. `compiledEntry('server/main')`.
 *
 * Points into `dist/` also when the caller runs from `src/` under the tests, because child processes are plain Node.
 */
export function compiledEntry(module: string): string {
  return packageFile(`dist/${module}.js`);
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
