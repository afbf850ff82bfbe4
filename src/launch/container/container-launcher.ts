import { setTimeout as sleep } from 'node:timers/promises';
import { LaunchError, messageOf, type Problem } from '../../errors.ts';
import type { ListeningLine, ServerSettings } from '../../server/types.ts';
import { untilAnswering } from '../answering.ts';
import { checkRanges } from '../check-limits.ts';
import { nextGroupName } from '../group-name.ts';
import { ensureServerImage } from '../image/server-image.ts';
import { readIfThere } from '../proc.ts';
import { verifyLimits } from '../read-back.ts';
import type { ServerLog } from '../server-log.ts';
import { type ServerProcess, signalProcess, spawnServer } from '../server-process.ts';
import { describeCancel, describeDeath, describeFailedStart } from '../start-failure.ts';
import { openLogOf, untilListening } from '../starting.ts';
import type { Launcher, LaunchRequest, Limits, RunningServer, ServerExit } from '../types.ts';
import { resetNativeMemoryPeak } from '../usage.ts';
import { findUnsupported, probeEngine } from './check-engine.ts';
import { type ContainerCgroup, openContainerCgroup } from './container-cgroup.ts';
import { type ContainerState, inspectContainer } from './container-state.ts';
import { readContainerUsage } from './container-usage.ts';
import { assertReadable, userInside } from './container-user.ts';
import { type ContainerNetwork, createArguments, INNER_GRPC_PORT, ownContents } from './create-arguments.ts';
import { type ContainerEngine, callEngine, type EngineHost, engineCommand } from './engine-cli.ts';
import { type PlacedServer, placeServer } from './other-server.ts';
import { type OutOfMemoryWatch, watchOutOfMemory } from './out-of-memory.ts';

/** How long a server may take to end by itself after SIGTERM, seconds. */
const STOP_GRACE_S = 3;
const STOP_TIMEOUT_MS = 10_000;

const INSPECT_RETRY_MS = 30;
/** How long a container may be called running without a cgroup of its own on this machine. */
const UNSEEN_LIMIT_MS = 1000;
/** A container whose client is gone has lost its standard input and so is about to end. */
const END_TIMEOUT_MS = 5_000;

export interface ContainerLauncherOptions {
  /** The image that servers start from; dse's own server image, built when missing, unless told otherwise. */
  readonly image?: string;
  /** The image that dse's own server image is built on; see `ensureServerImage`. */
  readonly baseImage?: string;
  /** The command inside that serves with the given settings; that of dse's own server image unless told otherwise. */
  readonly command?: (settings: ServerSettings) => readonly string[];
  /** `host` unless told otherwise. */
  readonly network?: ContainerNetwork;
  /** Host of the engine by the name its command line knows it by (a Docker context, a Podman connection); it must be this machine. The engine's default where absent. */
  readonly context?: string | undefined;
  /** More arguments for the engine's `create`, e.g. ["--ulimit", "nofile=20000:20000"]. */
  readonly engineArgs?: readonly string[];
}

/** Servers in containers, one each, limited by the engine; the limits are read back from the container's cgroup on this machine. */
export function createContainerLauncher(engine: ContainerEngine, options: ContainerLauncherOptions = {}): Launcher {
  const host: EngineHost = { engine, context: options.context };
  let building: Promise<string> | undefined;
  /** Built once; one that could not be built is not tried again for every start. */
  function findImage(signal: AbortSignal, onProgress: (line: string) => void): Promise<string> {
    if (options.image !== undefined) return Promise.resolve(options.image);
    building ??= ensureServerImage(host, { baseImage: options.baseImage, signal, onProgress }).then(({ tag }) => tag);
    return building;
  }
  return {
    engine,
    check: (limits) => check(host, limits),
    async prepare(signal, onProgress) {
      const image = await findImage(signal, onProgress);
      if (options.image !== undefined) await assertImage(host, image);
    },
    async start(request, signal) {
      const problems = checkRanges(request.limits);
      if (problems.length > 0) throw new LaunchError(problems);
      return startContainer(host, request, await findImage(signal, () => {}), options, signal);
    },
  };
}

async function check(host: EngineHost, limits: readonly Limits[]): Promise<Problem[]> {
  const abilities = await probeEngine(host);
  if ('what' in abilities) return [abilities];
  const problems = [...limits.flatMap(checkRanges), ...findUnsupported(host.engine, abilities, limits)];
  return [...new Map(problems.map((problem) => [problem.what, problem])).values()];
}

/** dse pulls no image: what a name stands for could then change in the middle of a study. */
async function assertImage(host: EngineHost, image: string): Promise<void> {
  const isThere = await callEngine(host, ['image', 'inspect', '--format', '{{.Id}}', image]).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  throw new LaunchError({
    what: `${host.engine} has no image ${image}`,
    hint: `Pull it first: ${engineCommand(host).join(' ')} pull ${image}`,
  });
}

/** What was made for one server so far; `undefined` where not yet, or not needed. */
interface Made {
  readonly host: EngineHost;
  readonly log: ServerLog;
  placed: PlacedServer | undefined;
  id: string | undefined;
  /** The engine's client, attached to the container: what the container prints, and its end. */
  client: ServerProcess | undefined;
  exited: Promise<ServerExit> | undefined;
  located: Located | undefined;
}

/** A running container as this machine's kernel sees it. */
interface Located {
  readonly pid: number;
  readonly cgroup: ContainerCgroup;
  readonly imageDigest: string;
  readonly outOfMemory: OutOfMemoryWatch | undefined;
}

async function startContainer(
  host: EngineHost,
  request: LaunchRequest,
  image: string,
  options: ContainerLauncherOptions,
  signal: AbortSignal,
): Promise<RunningServer> {
  const { network = 'host', engineArgs = [], command = (settings) => [JSON.stringify(settings)] } = options;
  const { other, settings } = request;
  const { engine } = host;
  const user = other === undefined ? userInside() : other.description.user;
  for (const { file } of other === undefined ? settings.models : [other.model]) assertReadable(file, user);
  const made: Made = {
    ...{ host, log: openLogOf(request), placed: undefined },
    ...{ id: undefined, client: undefined, exited: undefined, located: undefined },
  };
  const settled = new AbortController();
  let args: readonly string[] = engineCommand(host);
  try {
    signal.throwIfAborted();
    made.placed = other === undefined ? undefined : await placeServer(request, other, network);
    const contents = made.placed?.contents ?? ownContents(settings, network, command);
    args = createArguments(request, {
      ...{ image, network, engineArgs, user, contents },
      name: nextGroupName(request.runLabel),
    });
    // Not called off on an abort: only once it is done is it known what there is to remove.
    made.id = await callEngine(host, args);
    signal.throwIfAborted();
    const { id } = made;
    const attach = [...engineCommand(host), 'start', '--attach', '--interactive', id];
    const client = await spawnServer(attach, request.runLabel, made.log);
    made.client = client;
    const startedAtMs = performance.now();
    const located = locate(id, made, request.limits);
    located.catch(() => {});
    const exited = watchExit(id, client, made);
    made.exited = exited;
    const { placed } = made;
    const listening =
      placed === undefined
        ? client.listening
        : located.then(async (running): Promise<ListeningLine> => {
            const url =
              network === 'host' || running === undefined
                ? placed.hostUrl
                : `http://${await publishedAddress(host, id, contents.port)}`;
            await untilAnswering(`${url}${placed.readyPath}`, other?.description.ready.contains, settled.signal);
            return { dse: 'listening', url };
          });
    const { url, grpcAddress } = await untilListening({ listening, exited, log: made.log }, request, signal);
    const found = await located;
    if (found === undefined) throw describeDeath(request, await exited, performance.now() - startedAtMs);
    const { pid, cgroup, imageDigest } = found;
    const applied = verifyLimits(pid, request.limits, cgroup.files);
    const mechanism = `${engine} (${network} network, cgroup v${cgroup.version})`;
    return {
      ...{ applied, mechanism, imageDigest, exited, pid },
      url: network === 'host' ? url : `http://${await publishedAddress(host, id, contents.port)}`,
      grpcAddress:
        network === 'host' || grpcAddress === undefined
          ? grpcAddress
          : await publishedAddress(host, id, INNER_GRPC_PORT),
      ...controls(pid, cgroup, made),
    };
  } catch (error) {
    await removeAll(made);
    if (error instanceof LaunchError) throw error;
    throw signal.aborted ? describeCancel(request) : describeFailedStart(request, args, error);
  } finally {
    settled.abort();
  }
}

function controls(pid: number, cgroup: ContainerCgroup, made: Made) {
  let removal: Promise<void> | undefined;
  return {
    readUsage: () => readContainerUsage(pid, cgroup.files),
    resetMemoryPeak: async () => resetNativeMemoryPeak(pid),
    [Symbol.asyncDispose]() {
      removal ??= removeAll(made);
      return removal;
    },
  };
}

/** Finds the container's first process and its cgroup, as soon as it runs; undefined where it ended before. */
async function locate(id: string, made: Made, limits: Limits): Promise<Located | undefined> {
  let unseenSinceMs: number | undefined;
  for (;;) {
    const { pid, imageDigest } = await inspectContainer(made.host, id);
    try {
      if (pid !== undefined) {
        const cgroup = openContainerCgroup(pid, id);
        const outOfMemory = limits.memoryBytes === undefined ? undefined : watchOutOfMemory(cgroup.files);
        made.located = { pid, cgroup, imageDigest, outOfMemory };
        return made.located;
      }
    } catch (error) {
      // A container that has just ended is called running a moment longer; one on another machine stays out of sight.
      unseenSinceMs ??= performance.now();
      if (performance.now() - unseenSinceMs > UNSEEN_LIMIT_MS) throw error;
    }
    if (made.client?.isRunning() === false) return undefined;
    await sleep(INSPECT_RETRY_MS);
  }
}

/** Host and port at which a port of the container can be reached. */
async function publishedAddress(host: EngineHost, id: string, port: number): Promise<string> {
  const [address = ''] = (await callEngine(host, ['port', id, `${port}/tcp`])).split('\n');
  return address;
}

/** The server's end as data. With the engine gone nobody knows how the server ended, and the log says so. */
async function watchExit(id: string, client: ServerProcess, made: Made): Promise<ServerExit> {
  await client.ended;
  const isOomKilled = made.located?.outOfMemory?.wasKilled() ?? false;
  made.located?.outOfMemory?.stop();
  try {
    const state = await inspectEnded(made.host, id);
    return {
      exitCode: state.exitCode,
      signal: state.signal,
      isOomKilled: isOomKilled || state.isOomKilled,
      lastLines: made.log.lastLines(),
    };
  } catch (error) {
    made.log.append(
      `\n[dse: ${made.host.engine} no longer tells about its container: ${firstLine(messageOf(error))}]\n`,
    );
    return { exitCode: undefined, signal: undefined, isOomKilled, lastLines: made.log.lastLines() };
  }
}

async function inspectEnded(host: EngineHost, id: string): Promise<ContainerState> {
  for (const deadlineMs = performance.now() + END_TIMEOUT_MS; ; await sleep(INSPECT_RETRY_MS)) {
    const state = await inspectContainer(host, id);
    if (!state.isRunning) return state;
    if (performance.now() > deadlineMs) await callEngine(host, ['kill', id]);
  }
}

/** Ends the container and removes it. Where the engine no longer answers, the processes at least are ended; what stays is found by its label later. */
async function removeAll({ host, id, client, exited, located, placed, log }: Made): Promise<void> {
  if (id !== undefined) {
    try {
      if (client?.isRunning()) await callEngine(host, ['stop', '-t', `${STOP_GRACE_S}`, id], STOP_TIMEOUT_MS);
    } catch {
      killInside(id, located);
    }
    if (client !== undefined) {
      await Promise.race([client.ended, sleep(END_TIMEOUT_MS, undefined, { ref: false })]);
      signalProcess(-client.pid, 'SIGKILL');
    }
    // How it ended can be asked only until it is removed.
    await exited;
    await callEngine(host, ['rm', '--force', id], STOP_TIMEOUT_MS).catch(() => killInside(id, located));
  }
  placed?.remove();
  located?.outOfMemory?.stop();
  log.close();
}

/** Kills what runs in a container without its engine. A process id that was given out again is not in its cgroup, and left alone. */
function killInside(id: string, located: Located | undefined): void {
  if (located === undefined) return;
  const { pid, cgroup } = located;
  for (const one of new Set([pid, ...cgroup.files.readPids()])) {
    if (!readIfThere(`/proc/${one}/cgroup`)?.includes(id)) continue;
    try {
      signalProcess(one, 'SIGKILL');
    } catch {
      // Not this user's to end.
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
