import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createRunLabel, findLeftovers, type LaunchRequest, removeLeftovers } from '../../src/launch/index.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import type { EngineName } from '../../src/spec/types.ts';
import { type Behaviour, type FixtureParent, fixtureSettings, spawnFixtureParent } from './fixture-process.ts';

/** A folder that goes with the test that asked for it. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dse-launch-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A request for a fixture server of its own run, with a log file of its own. */
export function fixtureRequest(
  behaviour: Behaviour,
  { port = 0, ...overrides }: Partial<LaunchRequest> & { port?: number } = {},
): LaunchRequest {
  return {
    runLabel: createRunLabel(),
    settings: fixtureSettings(behaviour, port),
    limits: {},
    logFile: join(temporaryDir(), 'server.log'),
    readyTimeoutMs: 15_000,
    ...overrides,
  };
}

/** Asks the fixture server to do something and returns what it says about it. */
export async function ask(
  url: string,
  action: 'burn' | 'spin' | 'allocate' | 'release' | 'child' | 'log' | 'exit',
  n = 0,
): Promise<Record<string, number>> {
  return (await fetch(`${url}/${action}?n=${n}`)).json() as Promise<Record<string, number>>;
}

/** Starts a fixture server from a process of its own, which goes with the test if it was not killed before, and all that it leaves with it. */
export async function startFixtureParent(
  engine: EngineName,
  behaviour: Behaviour,
  command: (settings: ServerSettings) => readonly string[],
  options: object = {},
): Promise<FixtureParent> {
  const started = await spawnFixtureParent(engine, fixtureRequest(behaviour), command, options);
  onTestFinished(async () => {
    await started.kill();
    await removeLeftovers(await findLeftovers((label) => label !== started.runLabel));
  });
  return started;
}
