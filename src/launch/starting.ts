import { LaunchError, messageOf } from '../errors.ts';
import type { ListeningLine } from '../server/types.ts';
import { openServerLog, type ServerLog } from './server-log.ts';
import { describeCancel, describeDeath, describeTimeout } from './start-failure.ts';
import type { LaunchRequest, ServerExit } from './types.ts';

const PULSE_MS = 50;

/** @throws LaunchError where the log cannot be opened, before anything is started */
export function openLogOf({ logFile }: LaunchRequest): ServerLog {
  try {
    return openServerLog(logFile);
  } catch (error) {
    const what = `the server's log cannot be opened: ${messageOf(error)}`;
    const hint = 'Make sure that its folder exists and can be written to.';
    throw new LaunchError({ where: logFile, what, hint }, error);
  }
}

/** A server on its way up, however it is run. */
export interface StartingServer {
  /** The addresses it prints; never settles where it prints none, and rejects where it cannot be seen from this machine. */
  readonly listening: Promise<ListeningLine>;
  readonly exited: Promise<ServerExit>;
  readonly log: ServerLog;
}

/**
 * The addresses the server prints.
 *
 * @param onPulse - called every 50 ms while waiting
 * @throws LaunchError where the server ends first, takes too long, cannot be seen from here, or is no longer wanted
 */
export async function untilListening(
  { listening, exited, log }: StartingServer,
  request: LaunchRequest,
  signal: AbortSignal,
  onPulse: () => void = () => {},
): Promise<ListeningLine> {
  const startedAtMs = performance.now();
  const settled = new AbortController();
  try {
    return await new Promise<ListeningLine>((resolve, reject) => {
      listening.then(resolve, reject);
      exited.then((exit) => reject(describeDeath(request, exit, performance.now() - startedAtMs)));
      const timer = setTimeout(() => reject(describeTimeout(request, log.lastLines())), request.readyTimeoutMs);
      const pulse = setInterval(onPulse, PULSE_MS);
      settled.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        clearInterval(pulse);
      });
      const onAbort = () => reject(describeCancel(request));
      signal.addEventListener('abort', onAbort, { signal: settled.signal });
      if (signal.aborted) onAbort();
    });
  } finally {
    settled.abort();
  }
}
