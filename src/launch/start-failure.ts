import { LaunchError, messageOf } from '../errors.ts';
import type { LaunchRequest, ServerExit } from './types.ts';

/** The server ended before it accepted connections. */
export function describeDeath(request: LaunchRequest, exit: ServerExit, livedMs: number): LaunchError {
  const how = exit.signal === undefined ? `with exit code ${exit.exitCode}` : `by ${exit.signal}`;
  return new LaunchError({
    where: request.logFile,
    what: `the server ended ${how} after ${Math.round(livedMs)} ms, before it accepted connections`,
    hint: [adviceFor(request, exit), renderLines(exit.lastLines)].join('\n'),
  });
}

/** The server runs but did not accept connections in time. */
export function describeTimeout(request: LaunchRequest, lastLines: readonly string[]): LaunchError {
  return new LaunchError({
    where: request.logFile,
    what: `the server did not accept connections within ${request.readyTimeoutMs} ms and was stopped`,
    hint: ['Give it longer with "server.readyTimeoutMs", or see what it waits for.', renderLines(lastLines)].join('\n'),
  });
}

/** It could not be started at all: a program is missing, a group could not be made. */
export function describeFailedStart(request: LaunchRequest, command: readonly string[], cause: unknown): LaunchError {
  const what = `the server could not be started (${command[0]}): ${messageOf(cause)}`;
  return new LaunchError(
    { where: request.logFile, what, hint: 'Run "dse doctor" to see what this machine allows.' },
    cause,
  );
}

/** The start was called off from outside. */
export function describeCancel(request: LaunchRequest): LaunchError {
  const what = 'the start of the server was cancelled';
  return new LaunchError({ where: request.logFile, what, hint: 'Nothing of it is left; start it again when wanted.' });
}

function adviceFor(request: LaunchRequest, exit: ServerExit): string {
  const output = exit.lastLines.join('\n');
  if (exit.isOomKilled) {
    return `The kernel killed it at its memory limit of ${request.limits.memoryBytes} bytes; allow it more.`;
  }
  if (/EADDRINUSE|address already in use|port is already allocated/.test(output)) {
    return `Port ${request.settings.port} of ${request.settings.host} is taken; stop what listens there, or choose port 0.`;
  }
  return 'Its last output says why.';
}

function renderLines(lines: readonly string[]): string {
  if (lines.length === 0) return 'It printed nothing.';
  return ['Last lines of its log:', ...lines.map((line) => `  ${line}`)].join('\n');
}
