import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { createRunLabel, findLeftovers, type LaunchRequest, removeLeftovers } from '../../src/launch/index.ts';
import { compiledEntry } from '../../src/package-files.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import type { EngineName } from '../../src/spec/types.ts';

/** What the fixture server does; passed as the name of its model. */
export type Behaviour = 'well' | 'dies' | 'never-listens' | 'eats-memory' | 'ignores-sigterm' | 'ignores-stdin';

/** A folder that goes with the test that asked for it. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dse-launch-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const PARENT = fileURLToPath(new URL('fixture-parent.mjs', import.meta.url));
export const FIXTURE = fileURLToPath(new URL('fixture-server.mjs', import.meta.url));

export function fixtureCommand(settings: ServerSettings): string[] {
  return [process.execPath, '--expose-gc', FIXTURE, JSON.stringify(settings)];
}

/** A request for a fixture server of its own run, with a log file of its own. */
export function fixtureRequest(
  behaviour: Behaviour,
  { port = 0, ...overrides }: Partial<LaunchRequest> & { port?: number } = {},
): LaunchRequest {
  return {
    runLabel: createRunLabel(),
    settings: { models: [{ name: behaviour, file: '', engine: ENGINE }], host: '127.0.0.1', port },
    limits: {},
    logFile: join(temporaryDir(), 'server.log'),
    readyTimeoutMs: 15_000,
    ...overrides,
  };
}

const ENGINE = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
} as const;

/** Asks the fixture server to do something and returns what it says about it. */
export async function ask(
  url: string,
  action: 'burn' | 'spin' | 'allocate' | 'release' | 'child' | 'log' | 'exit',
  n = 0,
): Promise<Record<string, number>> {
  return (await fetch(`${url}/${action}?n=${n}`)).json() as Promise<Record<string, number>>;
}

/** Whether a process runs; a zombie, which only waits to be collected by its parent, does not. */
export function isProcessThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export interface FixtureParent {
  /** Of the server, as this machine knows it. */
  readonly pid: number;
  readonly runLabel: string;
  readonly kill: () => Promise<void>;
}

/**
 * Starts a fixture server from a process of its own, as `dse run` would, which can then be killed.
 *
 * @param command - the command of the fixture server, its settings last
 * @param options - more options of the launcher
 */
export async function startFixtureParent(
  engine: EngineName,
  behaviour: Behaviour,
  command: (settings: ServerSettings) => readonly string[],
  options: object = {},
): Promise<FixtureParent> {
  const { runLabel: _, ...request } = fixtureRequest(behaviour);
  const prefix = command(request.settings).slice(0, -1);
  const json = [request, prefix, options].map((value) => JSON.stringify(value));
  const parent = execa(process.execPath, [PARENT, compiledEntry('launch/index'), engine, ...json], {
    reject: false,
    buffer: false,
    stdin: 'ignore',
    stderr: 'inherit',
  });
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
