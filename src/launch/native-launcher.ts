import { LaunchError } from '../errors.ts';
import { compiledEntry } from '../package-files.ts';
import type { ListeningLine, ServerSettings } from '../server/types.ts';
import { checkLimits } from './check-limits.ts';
import type { ServerGroup } from './group.ts';
import { nextGroupName } from './group-name.ts';
import { GroupMakers } from './limit-support.ts';
import { verifyLimits } from './read-back.ts';
import type { ServerLog } from './server-log.ts';
import { type ServerProcess, signalProcess, spawnServer, stopProcess } from './server-process.ts';
import { describeCancel, describeFailedStart } from './start-failure.ts';
import { openLogOf, untilListening } from './starting.ts';
import type { Launcher, LaunchRequest, Limits, RunningServer, ServerExit } from './types.ts';
import { readNativeUsage, resetNativeMemoryPeak } from './usage.ts';

/** How long a server may take to end by itself after SIGTERM. */
const STOP_GRACE_MS = 3_000;

export interface NativeLauncherOptions {
  /** The command that serves with the given settings; dse's own server unless told otherwise. */
  readonly command?: (settings: ServerSettings) => readonly string[];
  /** The ways to limit that may be used; those of this machine unless told otherwise. */
  readonly makers?: GroupMakers;
}

/** Servers as processes of this machine, limited through cgroups or systemd and pinned with taskset. */
export function createNativeLauncher(options: NativeLauncherOptions = {}): Launcher {
  const { command = serverCommand, makers = new GroupMakers() } = options;
  return {
    engine: 'native',
    check: (limits) => checkLimits(limits, makers),
    async start(request, signal) {
      const problems = await checkLimits([request.limits], makers);
      if (problems.length > 0) throw new LaunchError(problems);
      // The server ends with the pipe that this process holds, so that not even a kill -9 of dse leaves it running.
      const settings = { ...request.settings, exitOnStdinEnd: true };
      return startServer(request, command(settings), makers, signal);
    },
  };
}

function serverCommand(settings: ServerSettings): string[] {
  return [process.execPath, compiledEntry('server/main'), JSON.stringify(settings)];
}

/** What was made for one server so far; `undefined` where not yet, or not needed. */
interface Made {
  readonly log: ServerLog;
  group: ServerGroup | undefined;
  process: ServerProcess | undefined;
}

async function startServer(
  request: LaunchRequest,
  command: readonly string[],
  makers: GroupMakers,
  signal: AbortSignal,
): Promise<RunningServer> {
  const made: Made = { log: openLogOf(request), group: undefined, process: undefined };
  try {
    const maker = await makers.choose(request.limits);
    made.group = await maker?.make(nextGroupName(request.runLabel), request.limits);
    signal.throwIfAborted();
    const pinned = pinCommand(command, request.limits.cpuset);
    made.process = await spawnServer(made.group?.wrap(pinned) ?? pinned, request.runLabel, made.log);
    const exited = watchExit(made.process, made);
    const { pid, listening } = made.process;
    // A systemd scope can be found only while its process lives; one that dies during the start has to be known by then.
    const findGroup = () => made.group?.open(pid);
    const addresses = await untilListening({ listening, exited, log: made.log }, request, signal, findGroup);
    const applied = verifyLimits(pid, request.limits, findGroup());
    return runningServer(
      addresses,
      made.process,
      exited,
      applied,
      made,
      describeMechanism(maker?.mechanism, request.limits),
    );
  } catch (error) {
    await removeAll(made);
    if (error instanceof LaunchError) throw error;
    throw signal.aborted ? describeCancel(request) : describeFailedStart(request, command, error);
  }
}

function pinCommand(command: readonly string[], cpuset: string | undefined): readonly string[] {
  return cpuset === undefined ? command : ['taskset', '-c', cpuset, ...command];
}

/** The server's end as data; also says whether the kernel ended it for want of memory. */
async function watchExit(server: ServerProcess, made: Made): Promise<ServerExit> {
  const { exitCode, signal } = await server.ended;
  return {
    exitCode,
    signal,
    isOomKilled: (made.group?.open(server.pid)?.readOomKills() ?? 0) > 0,
    lastLines: made.log.lastLines(),
  };
}

function describeMechanism(group: string | undefined, limits: Limits): string {
  return (
    [...(group === undefined ? [] : [group]), ...(limits.cpuset === undefined ? [] : ['taskset'])].join(' + ') || 'none'
  );
}

function runningServer(
  { url, grpcAddress }: ListeningLine,
  server: ServerProcess,
  exited: Promise<ServerExit>,
  applied: Limits,
  made: Made,
  mechanism: string,
): RunningServer {
  let removal: Promise<void> | undefined;
  return {
    url,
    grpcAddress,
    applied,
    mechanism,
    exited,
    pid: server.pid,
    readUsage: () => readNativeUsage(server.pid, made.group?.open(server.pid)),
    resetMemoryPeak: async () => resetNativeMemoryPeak(server.pid),
    [Symbol.asyncDispose]() {
      removal ??= removeAll(made);
      return removal;
    },
  };
}

/** Ends the server with everything it started and removes what was made for it. */
async function removeAll({ group, process: server, log }: Made): Promise<void> {
  if (server !== undefined) {
    const files = group?.open(server.pid);
    await stopProcess(server, STOP_GRACE_MS);
    for (const pid of files?.readPids() ?? []) signalProcess(pid, 'SIGKILL');
  }
  // What cannot be removed holds no process of ours any more, and carries the label by which the next run or "dse clean" finds it.
  await group?.remove().catch(() => {});
  log.close();
}
