import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ExperimentSpec } from '../../src/spec/types.ts';
import type {
  GeneratorCeilingRecord,
  IdlePowerRecord,
  ManifestInput,
  ModelProfileRecord,
  TrialRecord,
} from '../../src/store/index.ts';

type DoneRecord = Extract<TrialRecord, { state: 'done' }>;
type FailedRecord = Extract<TrialRecord, { state: 'failed' }>;

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dse-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function spec(changes: Partial<ExperimentSpec> = {}): ExperimentSpec {
  return {
    name: 'demo',
    file: '/specs/demo.yaml',
    design: { method: 'full-factorial', replicates: 1, seed: 42 },
    server: { engine: 'native', readyTimeoutMs: 10_000 },
    generator: { connections: 64 },
    factors: {
      model: [
        { name: 'a', value: 'a' },
        { name: 'b', value: 'b' },
      ],
      threads: [
        { name: '1', value: 1 },
        { name: '2', value: 2 },
      ],
    },
    fixed: { load: { name: 'light', value: 'light' } },
    loads: { light: { kind: 'rate', rateRps: 10, arrivals: 'poisson' } },
    exclude: [],
    measure: {
      warmupS: 1,
      maxWarmupS: 10,
      windowS: 2,
      windows: 3,
      precision: {},
      confidence: 0.95,
      maxS: 60,
      timeoutMs: 1000,
      calibrationS: 1,
      retries: 0,
      idleGateS: 5,
    },
    energy: {
      source: 'auto',
      powercapRoot: '/sys/class/powercap',
      hwmonRoot: '/sys/class/hwmon',
      idleS: 1,
      estimate: { idleW: 10, corePowerW: 5 },
    },
    objectives: [{ response: 'latency_p50_ms', direction: 'minimize' }],
    contexts: ['model'],
    ...changes,
  };
}

export function manifestInput(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    dseVersion: '0.1.0',
    experiment: 'demo',
    spec: spec(),
    versions: { node: '20.20.0' },
    models: [
      { name: 'a', variant: 'fp32', digest: 'd1', isSynthetic: true, params: 10, macs: 20, sizeBytes: 40 },
      { name: 'b', variant: 'fp32', digest: 'd2', isSynthetic: false, params: 10, sizeBytes: 40 },
    ],
    machine: { host: 'here', facts: { cpu: { value: 'x', why: 'speed' } } },
    ...changes,
  };
}

const base = {
  kind: 'trial',
  pointId: 'p1',
  replicate: 1,
  block: 1,
  runOrder: 1,
  attempt: 1,
  factors: { model: 'a', threads: 1, load: 'light' },
  host: 'here',
  startedAt: '2026-11-22T02:00:00.000Z',
  durationS: 7.25,
  engine: 'native',
} as const;

export function doneRecord(changes: Partial<DoneRecord> = {}): DoneRecord {
  return {
    ...base,
    trialId: 't1',
    state: 'done',
    verdict: 'valid',
    reasons: [],
    responses: { latency_p50_ms: 4.5, energy_source: 'estimate' },
    windows: [{ startNs: 1, endNs: 2, responses: { latency_p50_ms: 4.5 } }],
    applied: {},
    mechanism: 'none',
    ...changes,
  };
}

export const idlePower: IdlePowerRecord = {
  kind: 'idle-power',
  host: 'here',
  block: 1,
  startedAt: '2026-11-22T01:59:00.000Z',
  durationS: 5.02,
  source: 'rapl',
  description: 'package-0 + dram-0 through /sys/class/powercap',
  isEstimate: false,
  powerW: 10.5,
  lo: 10.2,
  hi: 10.8,
};

export const modelProfile: ModelProfileRecord = {
  kind: 'model-profile',
  host: 'here',
  startedAt: '2026-11-22T01:57:00.000Z',
  model: 'ab12 sequence=128',
  bareLatencyMs: 0.4,
  bareThroughputIps: 3100,
};

export const generatorCeiling: GeneratorCeilingRecord = {
  kind: 'generator-ceiling',
  host: 'here',
  startedAt: '2026-11-22T01:58:00.000Z',
  ceilingRps: 2000,
  steps: [
    { rateRps: 2000, achievedRps: 1998, lagP50Ms: 0.02, lagP99Ms: 0.4, lateShare: 0, busyCpus: 0.3, isHeld: true },
    { rateRps: 4000, achievedRps: 3100, lateShare: 0.2, busyCpus: 0.95, isHeld: false },
  ],
};

export function failedRecord(changes: Partial<FailedRecord> = {}): FailedRecord {
  return { ...base, trialId: 't1', state: 'failed', phase: 'warm-up', reason: 'the server died', ...changes };
}
