import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { LaunchRequest } from '../../src/launch/index.ts';
import { compiledEntry } from '../../src/package-files.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import type { EngineName } from '../../src/spec/types.ts';

/** What the fixture server does; passed as the name of its model. */
export type Behaviour = 'well' | 'dies' | 'never-listens' | 'eats-memory' | 'ignores-sigterm' | 'ignores-stdin';

const PARENT = fileURLToPath(new URL('fixture-parent.mjs', import.meta.url));
export const FIXTURE = fileURLToPath(new URL('fixture-server.mjs', import.meta.url));

export function fixtureCommand(settings: ServerSettings): string[] {
  return [process.execPath, '--expose-gc', FIXTURE, JSON.stringify(settings)];
}

export function fixtureSettings(behaviour: Behaviour, port = 0): ServerSettings {
  return { models: [{ name: behaviour, file: '', engine: ENGINE }], host: '127.0.0.1', port };
}

/** One thread, and nothing out of the ordinary. */
export const ENGINE = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
} as const;

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
 * @param request - what is to be started; the process makes a run label of its own
 * @param command - the command of the fixture server, its settings last
 * @param options - more options of the launcher
 */
export async function spawnFixtureParent(
  engine: EngineName,
  { runLabel: _, ...request }: LaunchRequest,
  command: (settings: ServerSettings) => readonly string[],
  options: object = {},
): Promise<FixtureParent> {
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
  return { ...started, kill };
}
