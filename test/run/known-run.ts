import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../src/events.ts';
import { createNativeLauncher, onlineCpus } from '../../src/launch/index.ts';
import { isKnownModel, modelNames } from '../../src/models/index.ts';
import { type RunOptions, type RunOutcome, runExperiment } from '../../src/run/index.ts';
import { describeMachine } from '../../src/run/machine.ts';
import { manifestOf } from '../../src/run/manifest.ts';
import { resolveModels } from '../../src/run/resolve-models.ts';
import { parseSpec } from '../../src/spec/index.ts';
import type { ExperimentSpec } from '../../src/spec/types.ts';
import { openStore, readResults, type TrialRecord } from '../../src/store/index.ts';

const KNOWN_SERVER = fileURLToPath(new URL('known-server.mjs', import.meta.url));

export interface KnownRun {
  readonly outcome: RunOutcome;
  /** Every attempt, in the order they were recorded. */
  readonly records: readonly TrialRecord[];
  readonly events: readonly RunEvent[];
}

export interface KnownRunOptions {
  /** What each request is served for, milliseconds; 20 by default. */
  readonly serviceMs?: number;
  /** See `known-server.mjs`. */
  readonly behaviour?: readonly string[];
  readonly onEvent?: (event: RunEvent) => void;
}

/** Begins the results with the generator's ceiling of this machine, which says nothing of a trial and which a run would measure first for seconds. */
export async function beginWithCeiling(
  spec: ExperimentSpec,
  options: Pick<RunOptions, 'outDir' | 'baseDir' | 'cacheDir' | 'locate'>,
): Promise<void> {
  const machine = await describeMachine();
  const models = await resolveModels(spec, options);
  await using store = await openStore(options.outDir, manifestOf(spec, models, machine));
  const startedAt = new Date().toISOString();
  await store.append({ kind: 'generator-ceiling', host: machine.host, startedAt, ceilingRps: 1000, steps: [] });
}

/** Runs a spec on servers that serve every request for a known time, and neighbours that do so for 10 ms, with a real launcher, generator and journal under `folder`. */
export async function runOnKnownServer(
  folder: string,
  specText: string,
  { serviceMs = 20, behaviour = ['serves'], onEvent }: KnownRunOptions = {},
): Promise<KnownRun> {
  const { spec, locate } = parseSpec(specText, path.join(folder, 'spec.yaml'), {
    onlineCpus: onlineCpus(),
    memoryBytes: 8e9,
    isKnownModel,
    modelNames: modelNames(),
    platform: process.platform,
    readText: () => undefined,
  });
  const events: RunEvent[] = [];
  const outDir = path.join(folder, 'results');
  const places = { outDir, baseDir: folder, cacheDir: path.join(folder, 'cache'), locate };
  await beginWithCeiling(spec, places);
  const outcome = await runExperiment(spec, {
    ...places,
    signal: new AbortController().signal,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    launcher: createNativeLauncher({
      command: (settings) => {
        const isNeighbour = settings.models[0]?.name.startsWith('neighbour-') === true;
        const acting = isNeighbour ? ['10', 'serves'] : [String(serviceMs), ...behaviour];
        return [process.execPath, KNOWN_SERVER, JSON.stringify(settings), ...acting];
      },
    }),
  });
  return { outcome, records: (await readResults(outDir)).records, events };
}

/**
 * A spec over the given load levels, one trial each.
 *
 * @param loads - lines of its `loads`, each level on a line of its own
 * @param extra - more keys of its `measure`, beginning with a comma
 */
export function specOf(loads: string, extra = ''): string {
  return `
name: known
design: { method: full-factorial, replicates: 1, seed: 11 }
factors:
  load: [${[...loads.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name).join(', ')}]
fixed: { model: mnist-cnn, batch: 2 }
loads:
${loads}
measure: { warmup: 500ms, window: 2s, windows: 2, calibration: 1s, idle_gate: 0s${extra} }
energy: { source: none }
objectives: [ { minimize: latency_mean_ms } ]
contexts: [load]
`;
}

/** The measured trial under a load level. */
export function byLoad(records: readonly TrialRecord[], load: string): Extract<TrialRecord, { state: 'done' }> {
  const record = records.find(({ factors }) => factors.load === load);
  if (record?.state !== 'done') throw new Error(`no measured trial under load ${load}: ${JSON.stringify(record)}`);
  return record;
}
