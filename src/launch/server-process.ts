import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { ListeningLine } from '../server/types.ts';
import { RUN_LABEL_VARIABLE } from './run-label.ts';
import type { ServerLog } from './server-log.ts';

/** How long the last output of a process that ended may take to arrive. */
const LAST_OUTPUT_MS = 300;

export interface ProcessEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** A server's process, from being spawned to being gone. */
export interface ServerProcess {
  readonly pid: number;
  /** The addresses it printed when it began to accept connections. Never settles where it did not. */
  readonly listening: Promise<ListeningLine>;
  /** Settles when the process is gone and its last output is in the log. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  isRunning(): boolean;
}

/**
 * Spawns a server as the leader of a process group of its own, so that Ctrl-C on the terminal reaches dse and not the server, and all it starts can be ended with it.
 *
 * Its standard input is a pipe that nothing is written to: it ends with this process, however this process ends, and the server exits with it.
 * @throws the system's error where the program cannot be started
 */
export async function spawnServer(
  command: readonly string[],
  runLabel: string,
  log: ServerLog,
): Promise<ServerProcess> {
  const [file = '', ...args] = command;
  const subprocess = execa(file, args, {
    // Podman's monitor leaves a file named `oom` where it was started.
    cwd: tmpdir(),
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    detached: true,
    env: { [RUN_LABEL_VARIABLE]: runLabel },
  });
  const { pid, stdin, stdout, stderr } = subprocess;
  if (pid === undefined) throw (await subprocess).cause;
  stdin.on('error', () => {});
  for (const stream of [stdout, stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => log.append(text));
  }
  const listening = new Promise<ListeningLine>((resolve) => onLine(stdout, (line) => readListening(line, resolve)));
  let isRunning = true;
  const exit = new Promise<ProcessEnd>((resolve) => {
    subprocess.once('exit', (exitCode, signal) => {
      isRunning = false;
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
  const ended = exit.then(async (end) => {
    await Promise.race([subprocess, sleep(LAST_OUTPUT_MS, undefined, { ref: false })]);
    return end;
  });
  return { pid, listening, ended, isRunning: () => isRunning };
}

/** Ends the process group: SIGTERM, and SIGKILL for what is left when the grace is over. Fine for one that is gone. */
export async function stopProcess(server: ServerProcess, graceMs: number): Promise<void> {
  if (server.isRunning()) {
    signalProcess(-server.pid, 'SIGTERM');
    await Promise.race([server.ended, sleep(graceMs, undefined, { ref: false })]);
  }
  // What it started may outlive it, and is in its process group still.
  signalProcess(-server.pid, 'SIGKILL');
  await server.ended;
}

/** Signals a process (or group, if negative); one that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function onLine(stream: NodeJS.ReadableStream, handle: (line: string) => void): void {
  let unfinished = '';
  stream.on('data', (text: string) => {
    const lines = `${unfinished}${text}`.split('\n');
    unfinished = lines.pop() ?? '';
    lines.forEach(handle);
  });
}

function readListening(line: string, resolve: (listening: ListeningLine) => void): void {
  if (!line.startsWith('{')) return;
  try {
    const message = JSON.parse(line) as Partial<ListeningLine>;
    if (message.dse === 'listening' && typeof message.url === 'string') resolve(message as ListeningLine);
  } catch {
    // A line of its own that merely begins like JSON.
  }
}
