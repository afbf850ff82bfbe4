import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  createContainerLauncher,
  describeLeftover,
  ensureServerImage,
  findLeftovers,
  isRunAlive,
  type LaunchRequest,
  listOldImages,
  type RunningServer,
  removeImages,
  removeLeftovers,
} from '../../src/launch/index.ts';
import { readIfThere } from '../../src/launch/proc.ts';
import { packageFile } from '../../src/package-files.ts';
import { ask, FIXTURE, fixtureRequest, isProcessThere, startFixtureParent } from './fixture.ts';
import { findMissing, fixtureOptions, insideCommand, TEST_BASE } from './fixture-containers.ts';

const build = { baseImage: TEST_BASE, signal: new AbortController().signal, onProgress: () => {} };

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);
  const skipping = missing === undefined ? '' : ` (skipped: ${missing})`;
  const launcher = createContainerLauncher(engine, { ...fixtureOptions, command: insideCommand });

  const start = async (request: LaunchRequest, from = launcher): Promise<RunningServer> => {
    const server = await from.start(request, new AbortController().signal);
    onTestFinished(() => server[Symbol.asyncDispose]());
    return server;
  };

  describe.skipIf(missing !== undefined)(`faults on ${engine}${skipping}`, () => {
    test('a container that is killed from outside is known to have been killed, and goes', async () => {
      const request = fixtureRequest('well');
      const server = await start(request);
      const [container] = await remainsOf(request.runLabel);
      await execa(engine, ['kill', container?.split(' ').at(-1) ?? '']);
      expect(await server.exited).toMatchObject({ signal: 'SIGKILL', exitCode: undefined, isOomKilled: false });
      await server[Symbol.asyncDispose]();
      expect(await remainsOf(request.runLabel)).toEqual([]);
    });

    test('a container that is removed from outside ends the server, and disposing it is fine', async () => {
      const request = fixtureRequest('well');
      const server = await start(request);
      const [container] = await remainsOf(request.runLabel);
      await execa(engine, ['rm', '--force', container?.split(' ').at(-1) ?? '']);
      await server.exited;
      await server[Symbol.asyncDispose]();
      expect(await remainsOf(request.runLabel)).toEqual([]);
    });

    test('a name that is taken is told in the words of the engine, and the other container is left alone', async () => {
      const name = `dse-test-clash-${process.pid}`;
      await execa(engine, ['create', `--name=${name}`, TEST_BASE, 'true']);
      onTestFinished(async () => void (await execa(engine, ['rm', '--force', name], { reject: false })));
      const clashing = createContainerLauncher(engine, { ...fixtureOptions, engineArgs: [`--name=${name}`] });
      await expect(start(fixtureRequest('well'), clashing)).rejects.toThrow(
        /"(docker|podman) create" failed: .*in use/,
      );
      const { stdout } = await execa(engine, ['ps', '--all', '--quiet', `--filter=name=${name}`]);
      expect(stdout.trim()).not.toBe('');
    });

    test('an image that is not there is told, and nothing is pulled', async () => {
      const none = createContainerLauncher(engine, { image: 'dse-no-such-image:1' });
      await expect(start(fixtureRequest('well'), none)).rejects.toThrow(/create" failed: .*dse-no-such-image/);
    });

    test('a program that is not in the image is told by the engine, and leaves nothing', async () => {
      const request = fixtureRequest('well');
      const broken = createContainerLauncher(engine, { ...fixtureOptions, command: () => ['/nowhere/serve'] });
      await expect(start(request, broken)).rejects.toThrow(/\/nowhere\/serve/);
      expect(await remainsOf(request.runLabel)).toEqual([]);
    });

    test('a server behind a published port is reached, and its network bytes are its own', async ({ skip }) => {
      const published = createContainerLauncher(engine, {
        ...fixtureOptions,
        command: insideCommand,
        network: 'published',
      });
      const server = await start(fixtureRequest('well'), published).catch((error: Error) => {
        if (/iptables|netavark|bridge|network/i.test(error.message))
          skip(`no container network here: ${error.message}`);
        throw error;
      });
      expect(server.mechanism).toContain('published network');
      const before = await server.readUsage();
      await ask(server.url, 'burn', 1);
      const after = await server.readUsage();
      expect((after.networkRxBytes ?? 0) - (before.networkRxBytes ?? 0)).toBeGreaterThan(100);
      expect((after.networkTxBytes ?? 0) - (before.networkTxBytes ?? 0)).toBeGreaterThan(100);
    });

    test('a killed dse leaves a container that is found by its label when the run is dead, and removed', async () => {
      const dead = await startFixtureParent(engine, 'ignores-stdin', insideCommand, fixtureOptions);
      expect((await findLeftovers()).some(({ runLabel }) => runLabel === dead.runLabel)).toBe(false);
      await dead.kill();
      const found = (await findLeftovers(isRunAlive)).filter(({ runLabel }) => runLabel === dead.runLabel);
      expect(found).toContainEqual(expect.objectContaining({ kind: 'container', engine }));
      expect(isProcessThere(dead.pid)).toBe(true);
      expect((await removeLeftovers(found)).problems).toEqual([]);
      await expect.poll(() => isProcessThere(dead.pid)).toBe(false);
      expect(await remainsOf(dead.runLabel)).toEqual([]);
      expect((await removeLeftovers(found)).problems).toEqual([]);
    });

    test("dse's own server runs from an image built once, not as root, on a file system it cannot write to", async () => {
      const image = await ensureServerImage({ engine }, build);
      expect(await ensureServerImage({ engine }, build)).toEqual({ ...image, isCached: true });
      const own = createContainerLauncher(engine, { baseImage: TEST_BASE });
      const request = fixtureRequest('well', { limits: { cpus: 1 } });
      const file = packageFile('models/mnist-cnn.onnx');
      const models = request.settings.models.map((model) => ({ ...model, name: 'mnist-cnn', file }));
      const settings = { ...request.settings, models };
      const server = await start({ ...request, settings }, own);
      const reply = await fetch(`${server.url}/v2/models/mnist-cnn`);
      expect(await reply.json()).toMatchObject({ name: 'mnist-cnn' });
      expect(server.imageDigest).toBe(image.digest);
      expect(server.applied).toEqual({ cpus: 1 });
      const { stdout } = await execa('ps', ['-o', 'uid=', '-p', `${server.pid}`]);
      expect(stdout.trim()).not.toBe('0');
      const { stdout: inside } = await execa(engine, [
        ...['run', '--rm', '--network=host', '--entrypoint=node', image.tag, '-p'],
        "require('fs').readdirSync('node_modules/onnxruntime-node/bin/napi-v6').join()+process.platform",
      ]);
      expect(inside).toBe('linuxlinux');
    }, 120_000);

    test('server images of earlier builds go on request, and the one in use stays', async () => {
      await execa(engine, ['tag', TEST_BASE, 'dse-server:of-an-earlier-build']);
      const current = await ensureServerImage({ engine }, build);
      process.env.DSE_BASE_IMAGE = TEST_BASE;
      const old = await listOldImages({ engine });
      expect(old.some((tag) => current.tag.endsWith(tag))).toBe(false);
      // Those of other builds of dse on this machine are not this test's to remove.
      const ours = old.filter((tag) => tag.endsWith('dse-server:of-an-earlier-build'));
      expect(ours).toHaveLength(1);
      expect(await removeImages({ engine }, ours)).toEqual(ours);
      const { failed: isBaseGone } = await execa(engine, ['image', 'inspect', TEST_BASE], { reject: false });
      expect(isBaseGone).toBe(false);
      expect(await ensureServerImage({ engine }, build)).toEqual({ ...current, isCached: true });
    }, 120_000);

    test('an image that cannot be built shows the last lines of the build and leaves nothing half done', async () => {
      const failing = ensureServerImage({ engine }, { ...build, baseImage: 'localhost:1/dse-no-such-base:1' });
      await expect(failing).rejects.toThrow(
        new RegExp(
          `${engine} could not build the server image on localhost:1/dse-no-such-base:1\n.*\n +Last lines of the build:`,
        ),
      );
      const { stdout } = await execa(engine, ['images', '--quiet', '--filter=label=dse.stage=files']);
      expect(stdout).toBe('');
    });
  });
}

/** A Docker daemon of the test's own, which may be killed without harm to any other. */
const missing = await findMissing('docker');
const canStart =
  missing === undefined &&
  process.getuid?.() === 0 &&
  !(await execa('dockerd', ['--version'], { reject: false })).failed;

describe.skipIf(!canStart)(`a Docker daemon that dies${canStart ? '' : ' (skipped: needs root and dockerd)'}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'dse-dockerd-'));
  const host = `unix://${dir}/docker.sock`;
  let daemon: ReturnType<typeof startDaemon>;

  function startDaemon() {
    return execa(
      'dockerd',
      [
        ...[`--host=${host}`, `--data-root=${dir}/data`, `--exec-root=${dir}/exec`, `--pidfile=${dir}/pid`],
        ...['--iptables=false', '--ip6tables=false'],
      ],
      { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: { file: `${dir}/log` } },
    );
  }

  async function untilUp(): Promise<void> {
    const isUp = async () => !(await execa('docker', ['--host', host, 'version'], { reject: false })).failed;
    await vi.waitFor(async () => expect(await isUp()).toBe(true), { timeout: 30_000, interval: 100 });
  }

  beforeAll(async () => {
    daemon = startDaemon();
    await untilUp();
    await execa('docker', ['save', TEST_BASE], { buffer: false }).pipe('docker', ['--host', host, 'load']);
  }, 120_000);

  /** What a daemon that was killed leaves: its containerd, the shims of containers, and mounts. */
  afterAll(async () => {
    daemon.kill('SIGKILL');
    await daemon;
    for (const pid of readdirSync('/proc')
      .map(Number)
      .filter((one) => one > 0)) {
      if (readIfThere(`/proc/${pid}/cmdline`)?.includes(`${dir}/`)) process.kill(pid, 'SIGKILL');
    }
    const mounts = (readIfThere('/proc/self/mountinfo') ?? '').split('\n').map((line) => line.split(' ')[4] ?? '');
    for (const mount of mounts.filter((one) => one.startsWith(`${dir}/`)).reverse())
      await execa('umount', ['--lazy', mount], { reject: false });
    rmSync(dir, { recursive: true, force: true });
  });

  test('in the middle of a trial: the server is known to be gone, and nothing of it runs on', async () => {
    process.env.DOCKER_HOST = host;
    onTestFinished(() => {
      delete process.env.DOCKER_HOST;
    });
    const launcher = createContainerLauncher('docker', {
      image: TEST_BASE,
      command: insideCommand,
      engineArgs: [`--volume=${dirname(FIXTURE)}:/fixture:ro`],
    });
    const request = fixtureRequest('ignores-stdin');
    const server = await launcher.start(request, new AbortController().signal);
    daemon.kill('SIGKILL');
    await daemon;
    const exit = await server.exited;
    expect(exit.lastLines.join('\n')).toContain('[dse: docker no longer tells about its container');
    await server[Symbol.asyncDispose]();
    await expect.poll(() => isProcessThere(server.pid ?? 0)).toBe(false);
    expect((await launcher.check([{}]))[0]?.hint).toContain('Start its daemon');
  }, 60_000);
});

/** What is left of a run, containers first. */
async function remainsOf(runLabel: string): Promise<string[]> {
  return (await findLeftovers((label) => label !== runLabel)).map(describeLeftover);
}
