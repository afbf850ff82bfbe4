import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/events.ts';
import { createExternalLauncher } from '../../src/launch/external-launcher.ts';
import { createNativeLauncher, createRunLabel, onlineCpus } from '../../src/launch/index.ts';
import { isKnownModel, modelNames } from '../../src/models/index.ts';
import { packageFile } from '../../src/package-files.ts';
import { runExperiment } from '../../src/run/index.ts';
import { isLocalUrl } from '../../src/run/other-server.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import { parseSpec } from '../../src/spec/index.ts';
import { readResults } from '../../src/store/index.ts';
import { findMissing, TEST_BASE } from '../launch/fixture-containers.ts';

const KNOWN_SERVER = fileURLToPath(new URL('known-server.mjs', import.meta.url));
const STAND_IN = fileURLToPath(new URL('../launch/stand-in.cjs', import.meta.url));

const SETTINGS: ServerSettings = {
  models: [
    {
      ...{ name: 'mnist-cnn', file: '' },
      engine: {
        ...{ intraOpThreads: 1, interOpThreads: 1, spinning: false },
        ...{ executionMode: 'sequential', graphOptimization: 'all' },
      },
    },
  ],
  ...{ host: '127.0.0.1', port: 0 },
};

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dse-other-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
}

/** Runs one short configuration with two clients on a server of somebody else's. */
async function runOn(folder: string, server: string, model: string) {
  const specText = `
name: other
server: ${server}
factors: { load: [one, two] }
fixed: { model: ${model} }
loads: { one: { concurrency: 1 }, two: { concurrency: 2 } }
measure: { warmup: 200ms, window: 500ms, windows: 1, max: 500ms, calibration: 500ms, idle_gate: 0s }
energy: { idle: 200ms }
objectives: [{ minimize: latency_mean_ms }]
`;
  const { spec, locate } = parseSpec(specText, join(folder, 'spec.yaml'), {
    ...{ onlineCpus: onlineCpus(), memoryBytes: 8e9, isKnownModel, modelNames: modelNames() },
    platform: process.platform,
    readText: (path) => readFileSync(path, 'utf8'),
  });
  const events: RunEvent[] = [];
  const outDir = join(folder, 'results');
  await runExperiment(spec, {
    ...{ outDir, baseDir: folder, cacheDir: join(folder, 'cache'), locate },
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
  });
  return { events, records: (await readResults(outDir)).records };
}

test('a server that already runs is measured by what it answers, and what cannot be known of it stays empty', async () => {
  const folder = makeFolder();
  const launcher = createNativeLauncher({
    command: (settings) => [process.execPath, KNOWN_SERVER, JSON.stringify(settings), '5', 'serves'],
  });
  await using server = await launcher.start(
    {
      runLabel: createRunLabel(),
      settings: SETTINGS,
      ...{ limits: {}, logFile: join(folder, 'server.log'), readyTimeoutMs: 15_000 },
    },
    new AbortController().signal,
  );
  const { records, events } = await runOn(folder, `{ url: "${server.url}" }`, 'mnist-cnn');
  expect(records.map(({ state, engine: name }) => [state, name])).toEqual([
    ['done', 'external'],
    ['done', 'external'],
  ]);
  for (const record of records) {
    if (record.state !== 'done') continue;
    expect(record.responses.latency_mean_ms).toBeGreaterThan(4.9);
    expect(record.responses.network_tx_mb).toBeGreaterThan(0);
    const unknown = [
      'cpu_util',
      'memory_peak_mb',
      'throttled_share',
      'others_cpu_util',
      'model_size_mb',
      'params',
      'macs',
    ];
    for (const column of unknown) expect(record.responses).not.toHaveProperty(column);
    expect(record.applied).toEqual({});
    expect(record.mechanism).toBe('none (a server that already ran)');
    // What others used cannot be told from this server; a hypervisor may still take its share, and says so.
    expect(record.reasons.map(({ detail }) => detail).join()).not.toContain('other processes');
    expect(record.factors).not.toHaveProperty('threads');
  }
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.notice.what] : []));
  expect(notices.join()).toContain(`the server at ${server.url} was started by somebody else`);
  expect(server.pid).toBeDefined();
  process.kill(server.pid ?? 0, 0);
});

test('a server that already runs but does not answer is told with its address and its last answer', async () => {
  const launcher = createExternalLauncher('http://127.0.0.1:9');
  const request = { runLabel: createRunLabel(), settings: SETTINGS, limits: {}, logFile: '', readyTimeoutMs: 200 };
  await expect(launcher.start(request, new AbortController().signal)).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:9\/v2\/health\/ready {2}the server was not ready within 200 ms; it answered last: /,
  );
  await expect(launcher.start({ ...request, readyTimeoutMs: 60_000 }, AbortSignal.abort())).rejects.toThrow(
    'cancelled',
  );
  expect((await launcher.check([{ cpus: 1 }, {}])).map(({ what }) => what)).toEqual([
    'a limit (cpus) cannot be applied to a server that already runs at http://127.0.0.1:9',
  ]);
});

test('an address is local where it is one of this machine', async () => {
  expect(await isLocalUrl('http://127.0.0.1:1')).toBe(true);
  expect(await isLocalUrl('http://[::1]:1')).toBe(true);
  expect(await isLocalUrl('http://192.0.2.7:1')).toBe(false);
});

const missing = await findMissing('docker');

test.skipIf(missing !== undefined)(
  `TensorFlow Serving is measured over its own interface, in a container${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const folder = makeFolder();
    copyFileSync(packageFile('models/mnist-cnn.onnx'), join(folder, 'mine.onnx'));
    copyFileSync(packageFile('configs/servers/tensorflow-serving.yaml'), join(folder, 'serving.yaml'));
    const engineArgs = `["--volume=${STAND_IN}:/usr/local/bin/tensorflow_model_server:ro"]`;
    const server = `{ engine: docker, description: serving.yaml, image: ${TEST_BASE}, engine_args: ${engineArgs} }`;
    await expect(runOn(folder, server, './mine.onnx')).rejects.toThrow(
      `${join(folder, 'mine.saved_model')}  ./mine.onnx (fp32) is an ONNX file, "tensorflow-serving" serves SavedModels, and dse cannot convert the one into the other`,
    );
    mkdirSync(join(folder, 'mine.saved_model'), { mode: 0o755 });
    writeFileSync(join(folder, 'mine.saved_model/saved_model.pb'), 'a model');
    const { records } = await runOn(folder, server, './mine.onnx');
    expect(records.map((record) => (record.state === 'done' ? 'done' : record.reason))).toEqual(['done', 'done']);
    for (const record of records) {
      if (record.state !== 'done') continue;
      expect(record.responses.requests).toBeGreaterThan(10);
      expect(record.responses.ok_count).toBe(record.responses.requests);
      expect(record.responses.cpu_util).toBeGreaterThan(0);
      expect(record.factors).toMatchObject({ threads: '1', inter_op_threads: '1', protocol: 'rest-json' });
      expect(record.factors).not.toHaveProperty('spinning');
    }
  },
  60_000,
);
