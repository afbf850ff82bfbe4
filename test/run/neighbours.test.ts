import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createContainerLauncher, createNativeLauncher, onlineCpus } from '../../src/launch/index.ts';
import type { Launcher } from '../../src/launch/types.ts';
import { isKnownModel, modelNames } from '../../src/models/index.ts';
import { type RunOutcome, runExperiment } from '../../src/run/index.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import { parseSpec } from '../../src/spec/index.ts';
import { readResults, type TrialRecord } from '../../src/store/index.ts';
import { findMissing, TEST_BASE } from '../launch/fixture-containers.ts';
import { test } from './folder-fixture.ts';
import { beginWithCeiling } from './known-run.ts';

const SERVICE_MS = 10;
const CAPACITY_RPS = 1000 / SERVICE_MS;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KNOWN_SERVER = fileURLToPath(new URL('known-server.mjs', import.meta.url));

type DoneTrial = Extract<TrialRecord, { state: 'done' }>;

/** Runs a spec whose servers and neighbours serve every request for exactly 10 ms. */
async function runBeside(
  folder: string,
  specText: string,
  neighbour: readonly string[] = ['serves'],
): Promise<{
  readonly outcome: RunOutcome;
  readonly records: readonly TrialRecord[];
  readonly starts: readonly ('server' | 'neighbour')[];
}> {
  const starts: ('server' | 'neighbour')[] = [];
  const launcher = createNativeLauncher({
    command: (settings: ServerSettings) => {
      const isNeighbour = settings.models[0]?.name.startsWith('neighbour-') === true;
      starts.push(isNeighbour ? 'neighbour' : 'server');
      const behaviour = isNeighbour ? neighbour : ['serves'];
      return [process.execPath, KNOWN_SERVER, JSON.stringify(settings), `${SERVICE_MS}`, ...behaviour];
    },
  });
  return { ...(await runSpec(folder, specText, launcher)), starts };
}

async function runSpec(folder: string, specText: string, launcher: Launcher) {
  const { spec, locate } = parseSpec(specText, path.join(folder, 'spec.yaml'), {
    onlineCpus: onlineCpus(),
    memoryBytes: 8e9,
    isKnownModel,
    modelNames: modelNames(),
    platform: process.platform,
    readText: () => undefined,
  });
  const outDir = path.join(folder, 'results');
  const places = { outDir, baseDir: folder, cacheDir: path.join(folder, 'cache'), locate };
  await beginWithCeiling(spec, places);
  const outcome = await runExperiment(spec, {
    ...places,
    signal: new AbortController().signal,
    onEvent: () => {},
    launcher,
  });
  return { outcome, records: (await readResults(outDir)).records };
}

/** @param loads - two levels of load, or one for a shorter run */
function specOf(colocated: string, loads: 'one' | 'both' = 'both'): string {
  return `
name: beside
design: { method: full-factorial, replicates: 1, seed: 5 }
factors: {${loads === 'both' ? ' load: [one, two] ' : ''}}
fixed: { model: mnist-cnn, batch: 1, ${loads === 'one' ? 'load: one, ' : ''}colocated: ${colocated} }
loads: { one: { rate: 10 }${loads === 'both' ? ', two: { rate: 20 }' : ''} }
measure: { warmup: 200ms, window: 1s, windows: 2, calibration: 500ms, idle_gate: 0s }
energy: { source: none }
objectives: [ { minimize: latency_mean_ms } ]
`;
}

function done(records: readonly TrialRecord[]): DoneTrial[] {
  return records.map((record) => {
    if (record.state !== 'done') throw new Error(`a trial failed: ${record.reason}`);
    return record;
  });
}

const codes = ({ reasons }: DoneTrial) => reasons.map(({ code }) => code);

test('neighbours are launched once with their server, held under their loads and recorded, and one that falls behind is told', {
  timeout: 60_000,
}, async ({ folder }) => {
  const { records, starts } = await runBeside(
    folder,
    specOf(
      `[{ name: half, model: mnist-cnn, load: { utilization: 0.5, arrivals: constant } },
        { name: closed, model: mnist-cnn, batch: 3, load: { concurrency: 1 } },
        { name: slow, model: mnist-cnn, load: { rate: ${2 * CAPACITY_RPS}, arrivals: constant } }]`,
    ),
  );
  expect(starts).toEqual(['neighbour', 'neighbour', 'neighbour', 'server']);
  const trials = done(records);
  expect(trials).toHaveLength(2);
  for (const trial of trials) {
    const [half, closed, slow] = trial.neighbours ?? [];
    expect(half).toMatchObject({ name: 'half', model: 'mnist-cnn', variant: 'fp32' });
    // Half of its own capacity, which the closed loop beside it takes nothing from: each has a worker of its own.
    const capacityRps = Number(half?.responses.capacity_rps);
    expect(capacityRps).toBeLessThan(CAPACITY_RPS * 1.02);
    expect(Number(half?.responses.offered_rps) / capacityRps).toBeCloseTo(0.5, 1);
    expect(Number(half?.responses.latency_mean_ms)).toBeGreaterThan(SERVICE_MS);
    expect(closed?.responses.capacity_rps).toBeUndefined();
    expect(closed?.responses.throughput_ips).toBe(Number(closed?.responses.achieved_rps) * 3);
    for (const { responses } of [half, closed, slow].filter((one) => one !== undefined)) {
      expect(Number(responses.cpu_util)).toBeGreaterThan(0);
    }
    const sum = (column: string) => [half, closed, slow].reduce((all, one) => all + Number(one?.responses[column]), 0);
    expect(trial.responses.neighbour_achieved_rps).toBeCloseTo(sum('achieved_rps'), 6);
    expect(trial.responses.neighbour_cpu_util).toBeCloseTo(sum('cpu_util'), 6);
    expect(codes(trial)).toContain('neighbour-generator-shared');
    // Twice as much as it can answer.
    expect(trial.verdict).toBe('invalid');
    const behind = trial.reasons.filter(({ code }) => code === 'neighbour-behind').map(({ detail }) => detail);
    expect(behind).toContainEqual(
      expect.stringMatching(/^neighbour "slow" answered \d+ of \d+ requests in the windows \(limit 95.0 %\)$/),
    );
  }
});

test('a neighbour that dies makes its trial invalid, and the next one gets a new server with new neighbours', {
  timeout: 60_000,
}, async ({ folder }) => {
  const { records, starts } = await runBeside(
    folder,
    specOf('{ name: frail, model: mnist-cnn, load: { rate: 50 } }'),
    // Readiness is one request and the server's calibration takes half a second or more: it ends within the first trial, or before it.
    ['exits-after', '90'],
  );
  const died = records.filter((record) => record.state === 'done' && codes(record).includes('neighbour-died'));
  const failed = records.filter(({ state }) => state === 'failed');
  expect(died.length + failed.length).toBeGreaterThan(0);
  expect(starts.filter((one) => one === 'neighbour').length).toBeGreaterThan(1);
  expect(starts.filter((one) => one === 'server').length).toBe(starts.filter((one) => one === 'neighbour').length);
  for (const record of died) {
    expect(record).toMatchObject({
      verdict: 'invalid',
      reasons: expect.arrayContaining([
        { code: 'neighbour-died', detail: 'neighbour "frail" ended with exit code 3 (limit: none may)' },
      ]),
      neighbours: [{ name: 'frail', exit: { exitCode: 3 } }],
    });
  }
  for (const record of failed) expect(record).toMatchObject({ reason: expect.stringContaining('neighbour "frail"') });
});

test('a model placed together is served by the server under test, under its load and without limits of its own', {
  timeout: 60_000,
}, async ({ folder }) => {
  const { records, starts } = await runBeside(
    folder,
    specOf('{ name: inside, model: mnist-cnn, load: { rate: 20, arrivals: constant } }, placement: together', 'one'),
  );
  expect(starts).toEqual(['server']);
  for (const trial of done(records)) {
    const [inside] = trial.neighbours ?? [];
    expect(inside).toMatchObject({ name: 'inside', responses: { error_count: 0 } });
    expect(inside).not.toHaveProperty('applied');
    expect(Number(inside?.responses.offered_rps)).toBeCloseTo(20, 0);
    // One worker serves both, and its CPU time cannot be told apart.
    expect(trial.responses).not.toHaveProperty('neighbour_cpu_util');
  }
});

test('a neighbour that never answers fails the trials of its configuration, and is named', { timeout: 60_000 }, async ({
  folder,
}) => {
  const { outcome, records } = await runBeside(folder, specOf('{ name: mute, model: mnist-cnn, load: { rate: 10 } }'), [
    'never-ready',
  ]);
  expect(outcome.counts).toEqual({ done: 0, failed: 2, invalid: 0 });
  for (const record of records) {
    expect(record).toMatchObject({
      phase: 'launch',
      reason: expect.stringMatching(/^neighbour "mute" could not be started: .*answered 503/),
    });
  }
});

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);
  const title = `on ${engine} a neighbour has a container of its own, with its limits read back from there`;
  test(missing === undefined ? title : `${title} (skipped: ${missing})`, { timeout: 90_000 }, async ({
    folder,
    skip,
  }) => {
    if (missing !== undefined) skip(missing);
    const launcher = createContainerLauncher(engine, {
      image: TEST_BASE,
      // Where they lie here, for the sake of what they import.
      engineArgs: ['test', 'dist', 'package.json', 'node_modules'].map(
        (name) => `--volume=${path.join(ROOT, name)}:/known/${name}:ro`,
      ),
      command: (settings) => [
        'node',
        '/known/test/run/known-server.mjs',
        JSON.stringify(settings),
        `${SERVICE_MS}`,
        'serves',
      ],
    });
    const { records } = await runSpec(
      folder,
      specOf('{ name: boxed, model: mnist-cnn, cpus: 0.5, memory: 200MB, load: { rate: 20 } }', 'one'),
      launcher,
    );
    for (const trial of done(records)) {
      const [boxed] = trial.neighbours ?? [];
      expect(boxed?.applied).toMatchObject({ cpus: 0.5, cpuset: trial.applied.cpuset });
      expect(Number(boxed?.applied?.memoryBytes) / 200e6).toBeCloseTo(1, 3);
      expect(boxed?.mechanism).toContain(engine);
      expect(Number(boxed?.responses.achieved_rps)).toBeGreaterThan(0);
      expect(trial.applied).not.toHaveProperty('cpus');
    }
  });
}
