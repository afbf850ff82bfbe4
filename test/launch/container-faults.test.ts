import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createContainerLauncher,
  describeLeftover,
  ensureServerImage,
  findLeftovers,
  type Launcher,
  type LaunchRequest,
  listOldImages,
  type RunningServer,
  removeImages,
} from '../../src/launch/index.ts';
import { fetchModelMetadata } from '../../src/load/index.ts';
import { packageFile } from '../../src/package-files.ts';
import { FAULTS, seeFault } from './faults.ts';
import { ask, fixtureRequest, temporaryDir } from './fixture.ts';
import { findMissing, fixtureOptions, insideCommand, TEST_BASE } from './fixture-containers.ts';

const build = { baseImage: TEST_BASE, signal: new AbortController().signal, onProgress: () => {} };

const whyNot = new Map<string, string | undefined>();
for (const [name, { missing }] of Object.entries(FAULTS)) whyNot.set(name, await missing?.());

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);
  const skipping = missing === undefined ? '' : ` (skipped: ${missing})`;
  const launcher = createContainerLauncher(engine, { ...fixtureOptions, command: insideCommand });

  const start = async (request: LaunchRequest, from = launcher): Promise<RunningServer> => {
    const server = await from.start(request, new AbortController().signal);
    onTestFinished(() => server[Symbol.asyncDispose]());
    return server;
  };

  const startPublished = (request: LaunchRequest, from: Launcher, skip: (reason: string) => never) =>
    start(request, from).catch((error: Error) => {
      if (/iptables|netavark|bridge|network/i.test(error.message)) skip(`no container network here: ${error.message}`);
      throw error;
    });

  describe.skipIf(missing !== undefined)(`faults on ${engine}${skipping}`, () => {
    for (const [name, fault] of Object.entries(FAULTS).filter(([, { only = engine }]) => only === engine)) {
      const reason = whyNot.get(name);
      const title = `${name}: dse says so, and dse clean leaves nothing${reason === undefined ? '' : ` (skipped: ${reason})`}`;
      test.skipIf(reason !== undefined)(
        title,
        async () => {
          const { said, left, after } = await seeFault(fault, engine, temporaryDir());
          expect(said).toMatch(fault.says);
          expect(left).toMatch(fault.leaves);
          expect(after).toBe('nothing');
        },
        60_000,
      );
    }

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
      const server = await startPublished(fixtureRequest('well'), published, skip);
      expect(server.mechanism).toContain('published network');
      const before = await server.readUsage();
      await ask(server.url, 'burn', 1);
      const after = await server.readUsage();
      expect((after.networkRxBytes ?? 0) - (before.networkRxBytes ?? 0)).toBeGreaterThan(100);
      expect((after.networkTxBytes ?? 0) - (before.networkTxBytes ?? 0)).toBeGreaterThan(100);
    });

    test("dse's own server runs from an image built once, not as root, on a file system it cannot write to, and speaks gRPC behind a published port too", async ({
      skip,
    }) => {
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
      const published = createContainerLauncher(engine, { baseImage: TEST_BASE, network: 'published' });
      const behind = await startPublished({ ...request, settings: { ...settings, grpcPort: 0 } }, published, skip);
      expect(behind.grpcAddress).toMatch(/^127\.0\.0\.1:\d+$/);
      // Values of parameters are texts over gRPC.
      const { parameters: _, ...said } = await fetchModelMetadata(behind.url, 'mnist-cnn');
      expect(await fetchModelMetadata(`grpc://${behind.grpcAddress}`, 'mnist-cnn')).toMatchObject(said);
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
  });
}

/** What is left of a run, containers first. */
async function remainsOf(runLabel: string): Promise<string[]> {
  return (await findLeftovers((label) => label !== runLabel)).map(describeLeftover);
}
