import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf } from '../../src/errors.ts';
import {
  type ContainerLauncherOptions,
  createContainerLauncher,
  createRunLabel,
  describeLeftover,
  ensureServerImage,
  findLeftovers,
  type LaunchRequest,
  type Limits,
  type RunningServer,
  removeLeftovers,
} from '../../src/launch/index.ts';
import { fixtureOptions, insideCommand, TEST_BASE } from './fixture-containers.ts';
import { type Behaviour, fixtureSettings, isProcessThere, spawnFixtureParent } from './fixture-process.ts';
import { startOwnDocker, whyNoOwnDocker } from './own-docker.ts';

type Engine = 'docker' | 'podman';

/** A fault brought about on purpose, with its marks undone when it is disposed. */
interface Provoked extends Partial<AsyncDisposable> {
  readonly runLabel: string;
  /** What dse said of it. */
  readonly said: string;
}

interface Fault {
  readonly says: RegExp;
  /** What `dse clean` finds. */
  readonly leaves: RegExp;
  /** The one engine that can have it. */
  readonly only?: Engine;
  /** Why it cannot be had on this machine; undefined where it can. */
  missing?(): Promise<string | undefined>;
  provoke(engine: Engine, folder: string): Promise<Provoked>;
}

export interface SeenFault {
  readonly said: string;
  /** What `dse clean` would find of this run before it has cleaned, and after. */
  readonly left: string;
  readonly after: string;
}

const MB = 2 ** 20;
const NOTHING = /^nothing$/;
const { signal } = new AbortController();

/** What can befall a container, its engine or its run, each brought about for real. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'container killed in its window': {
    says: /^SIGKILL$/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const { server, request } = await start(engine, requestFor(folder, 'well'));
      await execa(engine, ['kill', await containerOf(engine, request.runLabel)]);
      return ended(server, request);
    },
  },
  'container removed in its window': {
    // Podman asks it to stop first; whether that is still told depends on what is gone sooner.
    says: /^(SIGKILL|exit code 0|unknown)$/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const { server, request } = await start(engine, requestFor(folder, 'well'));
      await execa(engine, ['rm', '--force', await containerOf(engine, request.runLabel)]);
      return ended(server, request);
    },
  },
  'out of memory': {
    says: /^SIGKILL, oom-killed$/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const request = requestFor(folder, 'well', { limits: { memoryBytes: 150 * MB } });
      const { server } = await start(engine, request);
      await fetch(`${server.url}/allocate?n=400`).catch(() => {});
      return ended(server, request);
    },
  },
  'port taken': {
    says: /^Port \d+ of 127.0.0.1 is taken/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as { port: number };
      const provoked = await failToStart(engine, requestFor(folder, 'well', { port }));
      other.close();
      return provoked;
    },
  },
  'name clash': {
    says: /^"(docker|podman) create" failed: .*in use/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const name = `dse-fault-clash-${process.pid}`;
      await execa(engine, ['create', `--name=${name}`, TEST_BASE, 'true']);
      const provoked = await failToStart(engine, requestFor(folder, 'well'), { engineArgs: [`--name=${name}`] });
      const { failed: isOtherGone } = await execa(engine, ['rm', '--force', name], { reject: false });
      return isOtherGone ? { ...provoked, said: `${provoked.said} (and the other container is gone)` } : provoked;
    },
  },
  'image not there': {
    says: /^"(docker|podman) create" failed: .*dse-no-such-image/,
    leaves: NOTHING,
    provoke: (engine, folder) =>
      failToStart(engine, requestFor(folder, 'well'), { image: 'dse-no-such-image:1', engineArgs: [] }),
  },
  'image build failing': {
    says: /^Dockerfile {2}(docker|podman) could not build the server image on oci:\/nowhere; with the last lines of the build$/,
    leaves: NOTHING,
    async provoke(engine) {
      const baseImage = 'oci:/nowhere';
      const failure = await ensureServerImage({ engine }, { baseImage, signal, onProgress: () => {} }).then(
        () => 'it was built',
        messageOf,
      );
      const shows = failure.includes('\n  Last lines of the build:\n') ? 'with' : 'without';
      const { stdout } = await execa(engine, ['images', '--quiet', '--filter=label=dse.stage=files']);
      const said = `${firstLine(failure)}; ${shows} the last lines of the build${stdout === '' ? '' : ', and a stage is left'}`;
      return { runLabel: createRunLabel(), said };
    },
  },
  'a million log lines': {
    says: /^the log holds 9\.5 MB$/,
    leaves: NOTHING,
    async provoke(engine, folder) {
      const { server, request } = await start(engine, requestFor(folder, 'well'));
      await fetch(`${server.url}/log?n=1000000`);
      const logged = () => statSync(request.logFile).size;
      // The engine may still be passing on what the server has said; the bound is 10 MB and a line that says so.
      for (const untilMs = performance.now() + 20_000; logged() < 10e6 && performance.now() < untilMs; )
        await sleep(50);
      await server[Symbol.asyncDispose]();
      return { runLabel: request.runLabel, said: `the log holds ${(logged() / MB).toFixed(1)} MB` };
    },
  },
  'dse killed (kill -9)': {
    says: /^its leftovers are found only once it is dead$/,
    leaves: /^(docker|podman) container \w{12}, process \d+/,
    async provoke(engine, folder) {
      const request = requestFor(folder, 'ignores-stdin');
      const parent = await spawnFixtureParent(engine, request, insideCommand, fixtureOptions);
      const isFound = async () => (await findLeftovers()).some(({ runLabel }) => runLabel === parent.runLabel);
      const isFoundAlive = await isFound();
      await parent.kill();
      const isFoundDead = await isFound();
      const said =
        !isFoundAlive && isFoundDead
          ? 'its leftovers are found only once it is dead'
          : `found while it lived: ${isFoundAlive}, once dead: ${isFoundDead}`;
      return { runLabel: parent.runLabel, said };
    },
  },
  'daemon killed in its window, then back': {
    says: /^\[dse: docker no longer tells about its container: .*Cannot connect to the Docker daemon.*\]; nothing of it runs on; Start its daemon: /,
    leaves: /^docker container \w{12}$/,
    only: 'docker',
    missing: whyNoOwnDocker,
    async provoke(_engine, folder) {
      const own = await startOwnDocker();
      try {
        const request = requestFor(folder, 'ignores-stdin');
        const { server } = await start('docker', request, own.options);
        await own.kill();
        const { lastLines } = await server.exited;
        await server[Symbol.asyncDispose]();
        const line = lastLines.find((one) => one.startsWith('[dse: '));
        const how = (await isGone(server.pid)) ? 'nothing of it runs on' : 'its process runs on';
        const [problem] = await createContainerLauncher('docker', own.options).check([{}]);
        await own.comeBack();
        const said = `${line}; ${how}; ${problem?.hint}`;
        return { runLabel: request.runLabel, said, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
      } catch (error) {
        await own[Symbol.asyncDispose]();
        throw error;
      }
    },
  },
  'engine missing': {
    says: /^the program "(docker|podman)" is not installed$/,
    leaves: NOTHING,
    async provoke(engine) {
      const path = process.env.PATH;
      process.env.PATH = '/nowhere';
      const [problem] = await createContainerLauncher(engine).check([{}]);
      process.env.PATH = path;
      return { runLabel: createRunLabel(), said: problem?.what ?? 'nothing' };
    },
  },
};

/** Brings a fault about, and cleans up after it as `dse clean` would. */
export async function seeFault(fault: Fault, engine: Engine, folder: string): Promise<SeenFault> {
  const provoked = await fault.provoke(engine, folder);
  try {
    const found = await findLeftovers((label) => label !== provoked.runLabel);
    // What is gone already counts as removed.
    const problems = [...(await removeLeftovers(found)).problems, ...(await removeLeftovers(found)).problems];
    let still = await findLeftovers((label) => label !== provoked.runLabel);
    for (const untilMs = performance.now() + 5_000; still.length > 0 && performance.now() < untilMs; )
      still = await findLeftovers((label) => label !== provoked.runLabel);
    const after = [...still.map(describeLeftover), ...problems.map(({ what }) => what)];
    return { said: provoked.said, left: listOf(found.map(describeLeftover)), after: listOf(after) };
  } finally {
    await provoked[Symbol.asyncDispose]?.();
  }
}

function listOf(left: readonly string[]): string {
  return left.length === 0 ? 'nothing' : left.join(', ');
}

function requestFor(
  folder: string,
  behaviour: Behaviour,
  { port = 0, limits = {} }: { readonly port?: number; readonly limits?: Limits } = {},
): LaunchRequest {
  const runLabel = createRunLabel();
  const logFile = join(folder, `${runLabel}.log`);
  return { runLabel, settings: fixtureSettings(behaviour, port), limits, logFile, readyTimeoutMs: 15_000 };
}

async function start(engine: Engine, request: LaunchRequest, options: ContainerLauncherOptions = {}) {
  const launcher = createContainerLauncher(engine, { ...fixtureOptions, command: insideCommand, ...options });
  return { server: await launcher.start(request, signal), request };
}

async function failToStart(engine: Engine, request: LaunchRequest, options: ContainerLauncherOptions = {}) {
  const failure = await start(engine, request, options).then(() => 'it started', messageOf);
  // What is behind an end may stand in a later line than that it ended.
  const cause = /Port \d+ of \S+ is taken/.exec(failure)?.[0];
  return { runLabel: request.runLabel, said: cause ?? firstLine(failure) };
}

/** How the server's end was told, once it is cleared away. */
async function ended(server: RunningServer, { runLabel }: LaunchRequest): Promise<Provoked> {
  const { signal: by, exitCode, isOomKilled } = await server.exited;
  await server[Symbol.asyncDispose]();
  const how = by ?? (exitCode === undefined ? 'unknown' : `exit code ${exitCode}`);
  return { runLabel, said: isOomKilled ? `${how}, oom-killed` : how };
}

/** Whether a process that was killed has ended. */
async function isGone(pid: number | undefined): Promise<boolean> {
  const deadlineMs = performance.now() + 5_000;
  while (pid !== undefined && isProcessThere(pid) && performance.now() < deadlineMs) await sleep(20);
  return pid !== undefined && !isProcessThere(pid);
}

async function containerOf(engine: Engine, runLabel: string): Promise<string> {
  return (await execa(engine, ['ps', '--quiet', `--filter=label=dse.run=${runLabel}`])).stdout.trim();
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
