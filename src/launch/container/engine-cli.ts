import { execa } from 'execa';
import { LaunchError } from '../../errors.ts';
import { findExecutable } from '../find-executable.ts';

/** An engine that runs containers, which is also the name of its program. */
export type ContainerEngine = 'docker' | 'podman';

/** Whom to ask: an engine's default host, or another that its command line knows by name. */
export interface EngineHost {
  readonly engine: ContainerEngine;
  /** Docker's context, Podman's system connection. */
  readonly context?: string | undefined;
}

export const CONTAINER_ENGINES: readonly ContainerEngine[] = ['docker', 'podman'];

/** Label of everything made for a run; its value is the run label. */
export const RUN_LABEL_KEY = 'dse.run';

/** A call that an engine in good health answers in well under a second. */
const CALL_TIMEOUT_MS = 20_000;

/**
 * Calls the engine's command line and returns its standard output, trimmed.
 *
 * @throws LaunchError with the engine's own last words where it refuses, does not answer in time, or is not installed
 */
export async function callEngine(
  host: EngineHost,
  args: readonly string[],
  timeoutMs: number = CALL_TIMEOUT_MS,
): Promise<string> {
  const { engine } = host;
  const [program = engine, ...global] = engineCommand(host);
  const { failed, stdout, stderr, shortMessage, timedOut, cause } = await execa(program, [...global, ...args], {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
  });
  if (!failed) return stdout.trim();
  const what = timedOut
    ? `"${engine} ${args[0]}" did not answer within ${timeoutMs / 1000} s`
    : `"${engine} ${args[0]}" failed: ${errorLine(stderr ?? '') ?? shortMessage ?? ''}`;
  throw new LaunchError({ what, hint: `Run "${engine} info" to see whether the engine works for this user.` }, cause);
}

/** The program and the arguments that every call to this host begins with. */
export function engineCommand({ engine, context }: EngineHost): string[] {
  if (context === undefined) return [engine];
  return [engine, engine === 'docker' ? `--context=${context}` : `--connection=${context}`];
}

/** Whether the engine's program is there at all. */
export function isInstalled(engine: ContainerEngine): boolean {
  return findExecutable(engine) !== undefined;
}

/** The line that says what is wrong, out of an output that may also hold warnings and advice. */
function errorLine(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^error|: error/i.test(line)) ?? lines[0];
}
