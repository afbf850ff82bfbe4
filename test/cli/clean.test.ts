import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dse, scratchFolder } from './dse.ts';

test('dse clean names an engine that does not answer, whose containers it could not look for', {
  skip: process.platform !== 'linux',
}, async () => {
  await using scratch = await scratchFolder();
  const broken = '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n';
  await chmod(await scratch.file('docker', broken), 0o755);
  // A dry run, because other tests may have something to be found just now.
  const clean = (...args: string[]) => dse(['clean', '--dry-run', ...args], { env: { PATH: scratch.dir } });
  const [told, json] = await Promise.all([clean(), clean('--json')]);
  expect(told.stderr).toBe(
    'docker is installed but does not answer: containers that it may hold were not looked for. Run "dse clean" again once it does.',
  );
  expect(JSON.parse(json.stdout).silentEngines).toEqual(['docker']);
  expect([told.exitCode, json.exitCode]).toEqual([0, 0]);

  await scratch.file('docker', '#!/bin/sh\nexit 0\n');
  expect((await clean()).stderr).toBe('');
});
