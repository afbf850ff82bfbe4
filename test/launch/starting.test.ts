import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LaunchError } from '../../src/errors.ts';
import { openServerLog } from '../../src/launch/server-log.ts';
import { untilListening } from '../../src/launch/starting.ts';

test('a server that cannot be seen from this machine is told at once, and not when its time is up', async () => {
  const unseen = new LaunchError({ what: 'the cgroup is not on this machine', hint: 'Run dse there.' });
  const log = openServerLog(join(tmpdir(), 'starting.log'));
  const request = {
    ...{ runLabel: 'x', settings: { models: [], host: '127.0.0.1', port: 0 }, limits: {} },
    ...{ logFile: '', readyTimeoutMs: 20_000 },
  };
  const starting = { listening: Promise.reject(unseen), exited: new Promise<never>(() => {}), log };
  await expect(untilListening(starting, request, new AbortController().signal)).rejects.toBe(unseen);
});
