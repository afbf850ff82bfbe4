import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createNativeLauncher,
  describeLimitSupport,
  findLeftovers,
  isRunAlive,
  removeLeftovers,
} from '../../src/launch/index.ts';
import { compiledEntry } from '../../src/package-files.ts';
import { type Behaviour, fixtureCommand, fixtureRequest, isProcessThere } from './fixture.ts';
import { type ContractOptions, describeLauncherContract } from './launcher-contract.ts';

const PARENT = fileURLToPath(new URL('fixture-parent.mjs', import.meta.url));
const makeLauncher = () => createNativeLauncher({ command: fixtureCommand });

const missing: Record<string, string> = {};
for (const support of await describeLimitSupport()) if (!support.isAvailable) missing[support.limit] = support.why;

describeLauncherContract('native', makeLauncher, { missing, findRemains, startParent });

describe('what a killed run leaves', () => {
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
  test('a program that does not exist is named', async () => {
    const launcher = createNativeLauncher({ command: () => ['/nowhere/serve'] });
    await expect(launcher.start(fixtureRequest('well'), new AbortController().signal)).rejects.toThrow(
      /\/nowhere\/serve/,
    );
  });
});

async function findRemains(runLabel: string): Promise<string[]> {
  const leftovers = await findLeftovers((label) => label !== runLabel);
  return leftovers.map((one) => (one.kind === 'process' ? `process ${one.pid}` : one.dir));
}

async function startParent(behaviour: Behaviour): ReturnType<ContractOptions['startParent']> {
  const { runLabel: _, ...request } = fixtureRequest(behaviour);
  const command = fixtureCommand(request.settings).slice(0, -1);
  const parent = execa(
    process.execPath,
    [PARENT, compiledEntry('launch/index'), JSON.stringify(request), JSON.stringify(command)],
    { reject: false, buffer: false, stdin: 'ignore', stderr: 'inherit' },
  );
  const [line] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
  const started = JSON.parse(line) as { runLabel: string; pid: number };
  const kill = async () => {
    parent.kill('SIGKILL');
    await parent;
  };
  onTestFinished(async () => {
    await kill();
    await removeLeftovers(await findLeftovers((label) => label !== started.runLabel));
  });
  return { ...started, kill };
}
