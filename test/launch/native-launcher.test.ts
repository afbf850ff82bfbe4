import { describe, expect, test } from 'vitest';
import type { GroupMaker } from '../../src/launch/group.ts';
import {
  createNativeLauncher,
  describeLeftover,
  describeLimitSupport,
  findLeftovers,
  isRunAlive,
  removeLeftovers,
} from '../../src/launch/index.ts';
import { GroupMakers } from '../../src/launch/limit-support.ts';
import { ask, fixtureRequest, startFixtureParent } from './fixture.ts';
import { type Behaviour, fixtureCommand, isProcessThere } from './fixture-process.ts';
import { describeLauncherContract } from './launcher-contract.ts';

const startParent = (behaviour: Behaviour) => startFixtureParent('native', behaviour, fixtureCommand);
const makeLauncher = () => createNativeLauncher({ command: fixtureCommand });

const missing: Record<string, string> = {};
for (const support of await describeLimitSupport()) if (!support.isAvailable) missing[support.limit] = support.why;

describeLauncherContract('native', makeLauncher, { missing, findRemains, startParent });

describe.skipIf(process.platform !== 'linux')('what a killed run leaves', () => {
  test('is found by its label when the run is dead, and removed, and nothing else is', async () => {
    const dead = await startParent('ignores-stdin');
    const alive = await startParent('well');
    await dead.kill();
    expect(isProcessThere(dead.pid)).toBe(true);

    const mine = [dead.runLabel, alive.runLabel];
    const found = (await findLeftovers(isRunAlive)).filter(({ runLabel }) => mine.includes(runLabel));
    expect(found.map(({ runLabel }) => runLabel)).toEqual(found.map(() => dead.runLabel));
    expect(found).toContainEqual(expect.objectContaining({ kind: 'process', pid: dead.pid }));

    const { removed, problems } = await removeLeftovers(found);
    expect(problems).toEqual([]);
    expect(removed).toHaveLength(found.length);
    expect(await findRemains(dead.runLabel)).toEqual([]);
    expect(isProcessThere(alive.pid)).toBe(true);
  });

  test('is not removed twice: what is gone by then is fine', async () => {
    const dead = await startParent('ignores-stdin');
    await dead.kill();
    const found = await findLeftovers((label) => label !== dead.runLabel);
    await removeLeftovers(found);
    expect((await removeLeftovers(found)).problems).toEqual([]);
  });
});

describe('native limits', () => {
  test('that read back otherwise than asked stop the start and leave nothing', async () => {
    const request = fixtureRequest('well', { limits: { cpus: 0.5 } });
    const launcher = createNativeLauncher({ command: fixtureCommand, makers: new GroupMakers([forgetfulMaker()]) });
    await expect(launcher.start(request, new AbortController().signal)).rejects.toThrow(
      'asked for CPU quota 0.5, but the kernel reads back 0.25',
    );
    expect(await findRemains(request.runLabel)).toEqual([]);
  });

  test('without a cgroup still come with usage, from /proc', async () => {
    const launcher = createNativeLauncher({ command: fixtureCommand, makers: new GroupMakers([]) });
    await using server = await launcher.start(fixtureRequest('well'), new AbortController().signal);
    expect(server.mechanism).toBe('none');
    const before = await server.readUsage();
    await ask(server.url, 'burn', 500);
    const after = await server.readUsage();
    expect(Math.abs((after.cpuTimeUs ?? Number.NaN) - (before.cpuTimeUs ?? Number.NaN) - 500_000)).toBeLessThan(50_000);
    expect(after.throttledUs).toBeUndefined();
  });

  test('are read from a server that is gone only where its counters outlive it', async () => {
    const launcher = createNativeLauncher({ command: fixtureCommand, makers: new GroupMakers([]) });
    const server = await launcher.start(fixtureRequest('well'), new AbortController().signal);
    await server[Symbol.asyncDispose]();
    await expect(server.readUsage()).rejects.toThrow(/the server's process \d+ is gone, and its CPU time with it/);
  });

  test('a program that does not exist is named', async () => {
    const launcher = createNativeLauncher({ command: () => ['/nowhere/serve'] });
    await expect(launcher.start(fixtureRequest('well'), new AbortController().signal)).rejects.toThrow(
      /\/nowhere\/serve/,
    );
  });
});

/** Makes groups that hold a quarter of a CPU, whatever was asked. */
function forgetfulMaker(): GroupMaker {
  const yes = { isAvailable: true } as const;
  const files = {
    readLimits: () => ({ cpus: 0.25 }),
    readCpuTimeUs: () => 0,
    readThrottledUs: () => 0,
    readOomKills: () => 0,
    readBlockBytes: () => ({ blockReadBytes: undefined, blockWriteBytes: undefined }),
    readPids: () => [],
  };
  return {
    mechanism: 'forgetful',
    isImmediate: true,
    probe: async () => ({ cpus: yes, memory: yes, usage: yes }),
    make: async () => ({ wrap: (command) => command, open: () => files, remove: async () => {} }),
  };
}

async function findRemains(runLabel: string): Promise<string[]> {
  const leftovers = await findLeftovers((label) => label !== runLabel);
  return leftovers.map(describeLeftover);
}
