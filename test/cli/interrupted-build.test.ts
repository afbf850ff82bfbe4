import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dse, scratchFolder, smallSpec } from './dse.ts';

/** A Docker that can do everything, has no image, and never ends building one. */
const DOCKER = `#!/bin/sh
case $1 in
  info) echo '{"ServerVersion":"20.10","CpuCfsQuota":true,"CPUSet":true,"MemoryLimit":true}' ;;
  build) echo 'Step 1/2 : FROM base'; echo; exec sleep 60 ;;
  *) exit 1 ;;
esac
`;

test('a Ctrl-C while the server image is built ends the run tidily, and leaves no result folder', {
  skip: process.platform !== 'linux',
}, async () => {
  await using scratch = await scratchFolder();
  await chmod(await scratch.file('docker', DOCKER), 0o755);
  const spec = await scratch.file('small.yaml', smallSpec());
  const out = path.join(scratch.dir, 'results');
  const env = { PATH: [scratch.dir, process.env.PATH].join(path.delimiter) };
  const run = dse(['run', spec, '--engine', 'docker', '--out', out, '--reporter', 'plain'], { env });
  let printed = '';
  while (!printed.includes('Step 1/2')) printed += (await once(run.stdout, 'data'))[0];
  run.kill('SIGINT');
  const { exitCode, stdout, stderr } = await run;
  expect(stdout).toMatch(/^note: building the image dse-server:\w{16} with docker\nnote: Step 1\/2 : FROM base$/);
  expect(stderr).toBe('Interrupted before anything was measured; the same command starts again.');
  expect(exitCode).toBe(130);
  await expect(chmod(out, 0o755)).rejects.toThrow('ENOENT');
});
