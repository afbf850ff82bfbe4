import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageFile } from '../../src/package-files.ts';

/** TypeScript files that load onnxruntime's library, not only its types. */
function filesThatLoad(folder: string): string[] {
  const pattern = "^import (\\{[^}]*\\}|\\* as ort) from 'onnxruntime-node'";
  return execFileSync('grep', ['-rlE', pattern, folder], { encoding: 'utf8' }).trim().split('\n');
}

/** A worker thread cannot set the environment of its process: for the one of the engine, the thread that starts it does. */
const STARTED_BY: Readonly<Record<string, string>> = {
  [packageFile('src/engine/worker.ts')]: packageFile('src/engine/load-engine.ts'),
};

test('whatever loads onnxruntime turns its telemetry off before', () => {
  for (const folder of ['src', 'benchmarks']) {
    const files = filesThatLoad(packageFile(folder));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const text = readFileSync(STARTED_BY[file] ?? file, 'utf8');
      const imports = [...text.matchAll(/^import .*'(.*)';$/gm)].map(([, from = '']) => from);
      expect(imports[0], file).toMatch(/no-telemetry\.ts$/);
    }
  }
});
