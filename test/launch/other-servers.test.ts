import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createContainerLauncher,
  describeLeftover,
  findLeftovers,
  type LaunchRequest,
  type RunningServer,
  removeLeftovers,
} from '../../src/launch/index.ts';
import type { Protocol } from '../../src/load/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { checkReadiness } from '../../src/run/readiness.ts';
import { parseServerFile, type ServerDescription } from '../../src/spec/index.ts';
import { fixtureRequest, temporaryDir } from './fixture.ts';
import { findMissing, TEST_BASE } from './fixture-containers.ts';
import { isProcessThere } from './fixture-process.ts';

const STAND_IN = fileURLToPath(new URL('stand-in.cjs', import.meta.url));

/** The servers that dse describes, with the program each image has, what it is told for these levels, and where its model must lie. */
const SERVERS = {
  triton: {
    program: '/usr/local/bin/tritonserver',
    values: { threads: '2', inter_op_threads: '1', execution_mode: '1', graph_optimization: '-1' },
    told: { intra_op_thread_count: '2', inter_op_thread_count: '1', execution_mode: '1', level: '-1' },
    file: '/models/m/1/model.onnx',
    beside: ['m.weights', 'model.onnx'],
  },
  openvino: {
    program: '/ovms/bin/ovms',
    values: { threads: '2' },
    told: { INFERENCE_NUM_THREADS: '2', NUM_STREAMS: '1' },
    file: '/models/m/1/model.onnx',
    beside: ['m.weights', 'model.onnx'],
  },
  'tensorflow-serving': {
    program: '/usr/local/bin/tensorflow_model_server',
    values: { threads: '2', inter_op_threads: '1' },
    told: { intra: '2', inter: '1' },
    file: '/models/m/1/saved_model.pb',
    beside: ['saved_model.pb'],
  },
  mlserver: {
    program: '/usr/local/bin/mlserver',
    values: { threads: '2', inter_op_threads: '1' },
    told: { threads: 2, inter_op_threads: 1 },
    file: '/models/m/model.onnx',
    beside: ['m.weights', 'model-settings.json', 'model.onnx', 'onnx_runtime.py'],
  },
} as const;

function describedAs(name: string): ServerDescription {
  const { description } = parseServerFile(readFileSync(packageFile(`configs/servers/${name}.yaml`), 'utf8'), name);
  if (description === undefined) throw new Error(`${name} is not described`);
  return description;
}

/** A model of this test's own, with a SavedModel beside it and weights in a further file. */
function makeModel() {
  const dir = temporaryDir();
  const file = join(dir, 'm.onnx');
  copyFileSync(packageFile('models/mnist-cnn.onnx'), file);
  mkdirSync(join(dir, 'm.saved_model'));
  writeFileSync(join(dir, 'm.saved_model/saved_model.pb'), 'a model');
  writeFileSync(join(dir, 'm.weights'), 'weights');
  // The folders of tests are closed to others, and nothing is root in a container.
  for (const path of [dir, join(dir, 'm.saved_model')]) chmodSync(path, 0o755);
  return { file, dataFiles: [join(dir, 'm.weights')] };
}

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);

  describe.skipIf(missing !== undefined)(
    `other servers on ${engine}${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    () => {
      const requestFor = (name: keyof typeof SERVERS) => {
        const request = fixtureRequest('well', { limits: { cpus: 0.5 } });
        const { file, dataFiles } = makeModel();
        const model = { name: 'm', file, dataFiles };
        const other = { description: describedAs(name), values: SERVERS[name].values, model };
        return { ...request, settings: { ...request.settings, models: [] }, other };
      };
      const start = async (
        name: keyof typeof SERVERS,
        request: LaunchRequest,
        network: 'host' | 'published' = 'host',
      ) => {
        const engineArgs = [`--volume=${STAND_IN}:${SERVERS[name].program}:ro`];
        const launcher = createContainerLauncher(engine, { image: TEST_BASE, engineArgs, network });
        const server = await launcher.start(request, new AbortController().signal);
        onTestFinished(() => server[Symbol.asyncDispose]());
        return server;
      };
      const inferOn = async (server: RunningServer, { protocols, api }: ServerDescription) => {
        for (const protocol of protocols as readonly Protocol[]) {
          const dims = {};
          const inputs = [{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }] as const;
          const target = {
            url: server.url,
            modelName: 'm',
            api,
            protocol,
            batch: 2,
            inputs,
            dims,
            dataset: undefined,
            seed: 1,
          };
          await checkReadiness({ kind: 'kserve', ...target }, AbortSignal.timeout(5_000));
        }
      };

      // Podman differs in how it mounts, not in what a server is told.
      test.each(engine === 'docker' ? (Object.keys(SERVERS) as (keyof typeof SERVERS)[]) : ['triton' as const])(
        '%s finds its model and settings, read-only, answers an inference, and leaves no folder',
        async (name) => {
          const request = requestFor(name);
          const server = await start(name, request);
          await inferOn(server, describedAs(name));
          expect(server.applied).toEqual({ cpus: 0.5 });
          expect((await server.readUsage()).cpuTimeUs).toBeGreaterThan(0);
          const line =
            readFileSync(request.logFile, 'utf8')
              .split('\n')
              .find((one) => one.startsWith('{')) ?? '';
          expect(JSON.parse(line)).toEqual({
            program: SERVERS[name].program.split('/').at(-1),
            model: 'm',
            file: SERVERS[name].file,
            told: SERVERS[name].told,
            beside: SERVERS[name].beside,
            canWriteModel: false,
            canWriteTmp: true,
          });
          await server[Symbol.asyncDispose]();
          expect(await remainsOf(request.runLabel)).toEqual([]);
        },
      );

      test('a server that refuses what it finds shows its own words, and leaves nothing', async () => {
        const request = requestFor('openvino');
        const description = { ...describedAs('openvino'), command: ['/ovms/bin/ovms', '--rest_port={http_port}'] };
        const broken = { ...request, other: { ...request.other, description, values: {} } };
        await expect(start('openvino', broken)).rejects.toThrow(
          /exit code 2 [\s\S]*ovms: the flag --model_path is missing/,
        );
        expect(await remainsOf(request.runLabel)).toEqual([]);
      });

      test('a server behind a published port listens on the port of its description', async ({ skip }) => {
        const request = requestFor('triton');
        const server = await start('triton', request, 'published').catch((error: Error) => {
          if (/iptables|netavark|bridge|network/i.test(error.message)) skip(`no container network: ${error.message}`);
          throw error;
        });
        await inferOn(server, describedAs('triton'));
        expect((await server.readUsage()).networkRxBytes).toBeGreaterThan(0);
      });

      test('the folder and the container of a killed run are found, and removed', async () => {
        const request = requestFor('triton');
        const server = await start('triton', request);
        const found = await findLeftovers((label) => label !== request.runLabel);
        expect(found.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['container', 'folder']));
        expect((await removeLeftovers(found)).problems).toEqual([]);
        expect(await remainsOf(request.runLabel)).toEqual([]);
        expect(isProcessThere(server.pid ?? 0)).toBe(false);
      });

      test('an image that is not there is told before anything starts, with the command that pulls it', async () => {
        const launcher = createContainerLauncher(engine, { image: 'dse-no-such-image:1' });
        await expect(launcher.prepare?.(new AbortController().signal, () => {})).rejects.toThrow(
          `${engine} has no image dse-no-such-image:1\n  Pull it first: ${engine} pull dse-no-such-image:1`,
        );
      });
    },
  );
}

/** What is left of a run, folders included. */
async function remainsOf(runLabel: string): Promise<string[]> {
  return (await findLeftovers((label) => label !== runLabel)).map(describeLeftover);
}
