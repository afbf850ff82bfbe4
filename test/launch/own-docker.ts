import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { FIXTURE, fixtureCommand, isProcessThere } from './fixture-process.ts';

const IMAGE = 'dse-nothing';
const CONTEXT = 'dse-own';
const UP_TIMEOUT_MS = 30_000;

/** A Docker daemon of one's own, known to the command line as a context over TCP, which may be killed without harm to any other. */
export interface OwnDocker extends AsyncDisposable {
  /** Launcher options that put the fixture server into a container of this daemon. */
  readonly options: {
    readonly context: string;
    readonly image: string;
    readonly command: typeof fixtureCommand;
    readonly engineArgs: readonly string[];
  };
  kill(): Promise<void>;
  /** Starts it again after a kill. */
  comeBack(): Promise<void>;
}

/** Why there can be none here; undefined where there can. */
export async function whyNoOwnDocker(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it needs root';
  const { failed } = await execa('dockerd', ['--version'], { reject: false });
  return failed ? 'it needs dockerd' : undefined;
}

/** Until it is disposed, DOCKER_CONFIG names a folder of its own. */
export async function startOwnDocker(): Promise<OwnDocker> {
  // Not the tests' own folder for such things: a socket's path holds at most 107 characters.
  const dir = mkdtempSync('/tmp/dse-dockerd-');
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const configBefore = process.env.DOCKER_CONFIG;
  process.env.DOCKER_CONFIG = join(dir, 'config');
  let daemon = startDaemon();

  function startDaemon() {
    return execa(
      'dockerd',
      [
        ...[`--host=tcp://${address}`, '--tls=false', `--data-root=${dir}/data`, `--exec-root=${dir}/exec`],
        // Not --bridge=none, which would take the bridge from the machine's own daemon.
        ...[`--pidfile=${dir}/pid`, '--iptables=false', '--ip6tables=false'],
      ],
      { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: { file: `${dir}/log`, append: true } },
    );
  }

  async function untilUp(): Promise<void> {
    const deadlineMs = performance.now() + UP_TIMEOUT_MS;
    const isUp = () =>
      fetch(`http://${address}/_ping`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) {
      if (daemon.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`dockerd did not come up:\n${readFileSync(`${dir}/log`, 'utf8').slice(-2_000)}`);
      await sleep(50);
    }
  }

  async function kill(): Promise<void> {
    daemon.kill('SIGKILL');
    await daemon;
  }

  const own: OwnDocker = {
    options: {
      ...{ context: CONTEXT, image: IMAGE, command: fixtureCommand },
      // The image is empty: the program and its libraries are this machine's own.
      engineArgs: [...new Set(['/usr', '/lib', '/lib64', dirname(process.execPath), dirname(FIXTURE)])]
        .filter((path) => existsSync(path))
        .map((path) => `--volume=${path}:${path}:ro`),
    },
    kill,
    async comeBack() {
      forgetContainerd(dir);
      daemon = startDaemon();
      await untilUp();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await removeTraces(dir);
      if (configBefore === undefined) delete process.env.DOCKER_CONFIG;
      else process.env.DOCKER_CONFIG = configBefore;
    },
  };
  try {
    await execa('docker', ['context', 'create', CONTEXT, '--docker', `host=tcp://${address}`]);
    await untilUp();
    const nothing = execa('tar', ['--create', '--files-from=/dev/null'], { encoding: 'buffer' });
    await nothing.pipe('docker', [`--context=${CONTEXT}`, 'import', '-', IMAGE]);
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
  return own;
}

/** A daemon that comes back takes any process of the id that its containerd had for a containerd that runs, also one that is dead and that nobody has collected. */
function forgetContainerd(dir: string): void {
  const file = `${dir}/exec/containerd/containerd.pid`;
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (isProcessThere(pid) && isOf(pid, dir)) process.kill(pid, 'SIGKILL');
  rmSync(file);
}

/** What a daemon that was killed leaves: its containerd, the shims of containers, and mounts. */
async function removeTraces(dir: string): Promise<void> {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((one) => one > 0);
  for (const pid of pids.filter((one) => isOf(one, dir))) process.kill(pid, 'SIGKILL');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  for (const mount of mounts.filter((one) => one.startsWith(`${dir}/`)).reverse())
    await execa('umount', ['--lazy', mount], { reject: false });
  rmSync(dir, { recursive: true, force: true });
}

function isOf(pid: number, dir: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${dir}/`);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
