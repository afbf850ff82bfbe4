import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, expect, onTestFinished } from 'vitest';
import { LaunchError } from '../../src/errors.ts';
import { findDeadCpuLocks, lockCpus } from '../../src/run/cpu-lock.ts';
import { removeDeadLock } from '../../src/store/index.ts';

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures a fixture needs from this pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dse-cpu-lock-'));
    await use(path.join(folder, 'locks'));
    await rm(folder, { recursive: true, force: true });
  },
});

/** A process of its own that holds the lock of CPU 1 until it is killed. */
async function holder(folder: string): Promise<{ readonly pid: number; kill(): Promise<void> }> {
  const module = fileURLToPath(new URL('../../dist/run/cpu-lock.js', import.meta.url));
  const code = `const { lockCpus } = await import(${JSON.stringify(module)});
    await lockCpus(['1'], 'results in /there', ${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  return {
    pid: child.pid as number,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('runs on different CPUs do not meet; one that wants a CPU of another is refused with who holds it, and keeps none', async ({
  folder,
}) => {
  const other = await holder(folder);
  const apart = await lockCpus(['0', '2-3'], 'results in /here', folder);
  await apart[Symbol.asyncDispose]();
  const refused = await lockCpus(['0-1'], 'results in /here', folder).catch((error: unknown) => error);
  if (!(refused instanceof LaunchError)) throw new Error(`expected a LaunchError, got ${refused}`);
  expect(refused.message.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replace(folder, 'FOLDER')).toBe(
    `FOLDER/cpu-1.lock  CPU 1 is being measured on by another dse: process ${other.pid} since TIME, results in /there; this run wants CPUs 0-1
  Wait until it is done, give this run other CPUs (server.cpuset and generator.cpuset), or add --share-cpus and have both disturb each other.`,
  );
  // CPU 0, which it had got before it was refused, is free again.
  expect(await readdir(folder)).toEqual(['cpu-1.lock']);
});

test('the lock of a run that was killed is taken over', async ({ folder }) => {
  const other = await holder(folder);
  await other.kill();
  await using _lock = await lockCpus(['0-1', '1'], 'results in /here', folder);
  expect((await readdir(folder)).sort()).toEqual(['cpu-0.lock', 'cpu-1.lock']);
});

test('the lock of a run that was killed is found until it is removed, that of a living one is not', async ({
  folder,
}) => {
  const other = await holder(folder);
  await using _mine = await lockCpus(['0'], 'results in /here', folder);
  expect(await findDeadCpuLocks(folder)).toEqual([]);
  await other.kill();
  const dead = path.join(folder, 'cpu-1.lock');
  expect(await findDeadCpuLocks(folder)).toEqual([dead]);
  await removeDeadLock(dead);
  await removeDeadLock(path.join(folder, 'cpu-0.lock'));
  expect(await readdir(folder)).toEqual(['cpu-0.lock']);
});

test('a folder that cannot be used is told with the way around it', async () => {
  const refused = await lockCpus(['0'], 'results in /here', fileURLToPath(import.meta.url)).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(LaunchError);
  expect(String(refused)).toMatch(/cannot be told whether another dse measures .*\n.*--share-cpus/);
});
