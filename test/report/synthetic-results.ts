import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLatencyHistogram, encodeHistogram } from '../../src/load/index.ts';
import { createRng, type Rng } from '../../src/rng.ts';
import type { Level, Scalar } from '../../src/spec/types.ts';
import {
  histogramPath,
  type IdlePowerRecord,
  type Manifest,
  type Results,
  type TrialRecord,
} from '../../src/store/index.ts';
import { encodeRecord } from '../../src/store/record-codec.ts';
import { createTrialsTable } from '../../src/store/trials-table.ts';
import { manifestInput, spec } from '../store/examples.ts';

/** How the made-up experiment is to be. */
export interface SyntheticOptions {
  /** How many levels each factor has; models are two and loads three. */
  readonly batches?: number;
  readonly threads?: number;
  readonly cpus?: number;
  readonly interOpThreads?: number;
  readonly replicates?: number;
  readonly seed?: number;
  readonly name?: string;
  /** Names of the two models; the second has synthetic weights. */
  readonly models?: readonly [string, string];
  readonly energySource?: 'rapl' | 'estimate';
  /** Share of trials that are made invalid. */
  readonly invalidShare?: number;
  /** What an invalid trial gives as its reason. */
  readonly detail?: string;
}

const LOADS = { light: 0.3, medium: 0.6, high: 0.85 } as const;

/**
 * What a result folder would hold of an experiment that never ran: latencies follow a queue with the configuration's service time, with noise from a seed. 48 configurations
 * and 96 trials by default.
 */
export function syntheticRecords(options: SyntheticOptions = {}): {
  readonly manifest: Manifest;
  readonly records: readonly TrialRecord[];
  readonly idlePower: readonly IdlePowerRecord[];
} {
  const { replicates = 2, seed = 1, name = 'synthetic', models = ['mnist-cnn', 'resnet18'] } = options;
  const { batches = 4, threads = 2, cpus = 1, interOpThreads = 1 } = options;
  const {
    energySource = 'rapl',
    invalidShare = 0.05,
    detail = 'other processes used 0.56 CPUs (limit 0.10 of 2)',
  } = options;
  const rng = createRng(seed);
  const levels = (count: number) => Array.from({ length: count }, (_, index) => levelOf(index + 1));
  const candidates: Readonly<Record<string, readonly Level[]>> = {
    model: models.map(levelOf),
    batch: levels(batches),
    threads: levels(threads),
    cpus: levels(cpus),
    inter_op_threads: levels(interOpThreads),
    load: Object.keys(LOADS).map(levelOf),
  };
  const factors = Object.fromEntries(Object.entries(candidates).filter(([, values]) => values.length > 1));
  const manifest = syntheticManifest(name, models, factors, replicates);
  const points = Object.entries(factors).reduce<Record<string, Scalar>[]>(
    (all, [factor, values]) =>
      all.flatMap((point) => values.map(({ value }) => ({ ...point, [factor]: value as Scalar }))),
    [{}],
  );
  let order = 0;
  const records: TrialRecord[] = [];
  for (let replicate = 1; replicate <= replicates; replicate++) {
    for (const point of rng.shuffle(points)) {
      order++;
      records.push(makeTrial({ point, models, replicate, order, energySource, invalidShare, detail }, rng));
    }
  }
  const idle = Array.from({ length: replicates }, (_, index) => idlePower(index + 1, energySource, rng));
  return { manifest, records, idlePower: idle };
}

/** The same as `readResults` would give it, without a file. */
export function syntheticResults(options: SyntheticOptions = {}): Results {
  const { manifest, records, idlePower: idle } = syntheticRecords(options);
  const table = createTrialsTable(manifest.spec);
  for (const record of records) table.add(record);
  return {
    outDir: '/nowhere',
    manifest,
    records,
    idlePower: idle,
    generatorCeilings: [],
    modelProfiles: [],
    columns: table.columns(),
    rows: table.rows(),
    warnings: [],
  };
}

/** Writes a result folder in the format of a real one, histograms included. */
export async function writeSyntheticResults(outDir: string, options: SyntheticOptions = {}): Promise<void> {
  const { manifest, records, idlePower: idle } = syntheticRecords(options);
  const rng = createRng(7);
  await mkdir(join(outDir, 'histograms'), { recursive: true });
  await writeFile(join(outDir, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(outDir, 'journal.jsonl'), `${[...idle, ...records].map(encodeRecord).join('\n')}\n`);
  for (const record of records) {
    if (record.state !== 'done') continue;
    const histogram = histogramAround(Number(record.responses.latency_mean_ms), rng);
    await writeFile(histogramPath(outDir, record.trialId, 'latency', 1), encodeHistogram(histogram));
  }
}

function levelOf(value: Scalar): Level {
  return { name: String(value), value };
}

function syntheticManifest(
  name: string,
  models: readonly string[],
  factors: Readonly<Record<string, readonly Level[]>>,
  replicates: number,
): Manifest {
  const machine = {
    host: 'bench-1',
    facts: {
      cpu_model: { value: 'Example CPU', why: 'speed and energy differ from one processor to the next' },
      cpu_governor: { value: null, why: 'a governor other than performance lowers the clock between requests' },
    },
  };
  const loads = Object.entries(LOADS).map(([load, utilization]) => [
    load,
    { kind: 'utilization', utilization, arrivals: 'poisson' } as const,
  ]);
  return {
    formatVersion: 1,
    measurementVersion: 1,
    createdAt: '2026-11-22T02:00:00.000Z',
    updatedAt: '2026-11-22T09:00:00.000Z',
    machines: [machine],
    ...manifestInput({
      experiment: name,
      spec: spec({
        name,
        design: { method: 'full-factorial', replicates, seed: 42 },
        factors,
        fixed: {},
        loads: Object.fromEntries(loads),
        objectives: [
          { response: 'latency_mean_ms', direction: 'minimize' },
          { response: 'energy_per_inference_j', direction: 'minimize' },
          { response: 'throughput_ips', direction: 'maximize' },
        ],
        contexts: ['model'],
      }),
      versions: { node: 'v20.20.2', 'onnxruntime-node': '1.30.0', autocannon: '9.0.0' },
      models: models.map((model, index) => ({
        name: model,
        variant: 'fp32',
        digest: `${index}`.repeat(64),
        isSynthetic: index === 1,
        params: 1e5 * (index + 1),
        macs: 1e6 * (index + 1),
        sizeBytes: 4e5,
      })),
      machine,
    }),
  };
}

interface TrialSettings {
  readonly point: Readonly<Record<string, Scalar>>;
  readonly models: readonly [string, string];
  readonly replicate: number;
  readonly order: number;
  readonly energySource: string;
  readonly invalidShare: number;
  readonly detail: string;
}

function makeTrial(settings: TrialSettings, rng: Rng): TrialRecord {
  const { model, batch = 1, threads = 1, cpus = 2, inter_op_threads = 1, load } = settings.point;
  const items = Number(batch);
  const heavy = model === settings.models[1];
  const speedUp =
    Math.min(1 + (Number(threads) - 1) * (heavy ? 0.8 : 0.2), Number(cpus)) / Number(inter_op_threads) ** 0.05;
  const serviceMs = ((heavy ? 9 : 0.8) * items ** 0.85) / speedUp;
  const utilization = LOADS[load as keyof typeof LOADS];
  const noise = () => Math.exp(0.05 * rng.normal());
  const meanMs = serviceMs * (1 + utilization / (2 * (1 - utilization))) * noise();
  const capacity = (1000 / serviceMs) * noise();
  const offered = capacity * utilization;
  const throughput = offered * items;
  const busyW = 6 * utilization * Number(threads);
  const idleW = 10;
  const gross = (idleW + busyW) / throughput;
  const requests = Math.round(offered * 10);
  const isInvalid = rng.uniform() < settings.invalidShare;
  const base = {
    kind: 'trial',
    trialId: `t${settings.order}`,
    pointId: Object.values(settings.point).join('-'),
    replicate: settings.replicate,
    block: settings.replicate,
    runOrder: settings.order,
    attempt: 1,
    factors: settings.point,
    host: 'bench-1',
    startedAt: new Date(Date.UTC(2026, 10, 22, 2) + settings.order * 12_000).toISOString(),
    durationS: 11.5,
    engine: 'native',
  } as const;
  if (isInvalid && settings.order % 7 === 0) {
    return { ...base, state: 'failed', phase: 'ready', reason: 'the server left with exit code 1' };
  }
  return {
    ...base,
    state: 'done',
    verdict: isInvalid ? 'invalid' : 'valid',
    reasons: isInvalid ? [{ code: 'host-busy', detail: settings.detail }] : [],
    responses: {
      offered_rps: offered,
      capacity_rps: capacity,
      throughput_ips: throughput,
      latency_mean_ms: meanMs,
      latency_p50_ms: meanMs * 0.8,
      latency_p95_ms: meanMs * 2.4 * noise(),
      latency_p99_ms: meanMs * 3.6 * noise(),
      cpu_util: utilization * Number(threads),
      energy_per_inference_j: gross,
      energy_net_per_inference_j: busyW / throughput,
      energy_source: settings.energySource,
      requests,
      ok_count: requests,
    },
    windows: [],
    applied: {},
    mechanism: 'none',
  };
}

function histogramAround(meanMs: number, rng: Rng) {
  const histogram = createLatencyHistogram();
  for (let request = 0; request < 1500; request++) {
    histogram.recordValue(Math.max(1, Math.round(1000 * meanMs * (0.5 + 0.5 * rng.exponential(1)))));
  }
  return histogram;
}

function idlePower(block: number, source: string, rng: Rng): IdlePowerRecord {
  const powerW = 10 + 0.1 * rng.normal();
  return {
    kind: 'idle-power',
    host: 'bench-1',
    block,
    startedAt: '2026-11-22T01:59:00.000Z',
    durationS: 5,
    source,
    description: 'package-0',
    isEstimate: source === 'estimate',
    powerW,
    lo: powerW - 0.1,
    hi: powerW + 0.1,
  };
}
