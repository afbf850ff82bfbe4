import type { RunEvent } from '../../../src/events.ts';
import type { TrialRecord } from '../../../src/store/types.ts';

type EventBody = RunEvent extends infer Each ? (Each extends unknown ? Omit<Each, 'atMs'> : never) : never;
type DoneRecord = Extract<TrialRecord, { state: 'done' }>;
type FailedRecord = Extract<TrialRecord, { state: 'failed' }>;

/** An event `atS` seconds after the start of the run. */
export function at(atS: number, event: EventBody): RunEvent {
  return { atMs: atS * 1000, ...event } as RunEvent;
}

const base = {
  kind: 'trial',
  trialId: 't1',
  pointId: 'p1',
  replicate: 1,
  block: 1,
  runOrder: 1,
  attempt: 1,
  factors: {},
  host: 'here',
  startedAt: '2026-11-22T02:00:00.000Z',
  durationS: 6,
  engine: 'native',
} as const;

export function measured(changes: Partial<DoneRecord> = {}): DoneRecord {
  return {
    ...base,
    state: 'done',
    verdict: 'valid',
    reasons: [],
    responses: {
      latency_p50_ms: 4.51234,
      latency_p95_ms: 7.1,
      throughput_ips: 198.77,
      energy_per_inference_j: 0.103456,
      energy_source: 'estimate',
    },
    windows: [],
    applied: {},
    mechanism: 'none',
    ...changes,
  };
}

export function failed(changes: Partial<FailedRecord> = {}): FailedRecord {
  return { ...base, state: 'failed', phase: 'warm-up', reason: 'the server ended with exit code 1', ...changes };
}

export const runStarted = at(0, {
  type: 'run-started',
  experiment: 'demo',
  outDir: 'results/demo',
  trials: 6,
  alreadyDone: 2,
  estimatedS: 40,
});

const warning = { where: 'energy', what: 'energy is an estimate', hint: 'Run `dse doctor`.\nIt tells the fix.' };

/** A run as it happens: two trials were done before, two are measured, one of them invalid first, and one fails. */
export const WHOLE_RUN: readonly RunEvent[] = [
  runStarted,
  at(0, { type: 'notice', notice: { what: 'removed 1 process of a killed run', hint: 'Nothing to do.' } }),
  at(1, { type: 'idle-measured', block: 1, powerW: 12.3456, isEstimate: true }),
  at(1, { type: 'warning', warning }),
  at(1, { type: 'server-starting', configurationId: 'c1', label: 'mnist-cnn batch=1', block: 1 }),
  at(2, { type: 'server-ready', configurationId: 'c1', tookMs: 900 }),
  at(3, { type: 'capacity-found', configurationId: 'c1', capacityRps: 231.123 }),
  at(3, { type: 'trial-started', trialId: 't1', runOrder: 1, label: 'mnist-cnn batch=1 light' }),
  at(3, { type: 'trial-phase', trialId: 't1', phase: 'measure' }),
  at(4, {
    type: 'trial-progress',
    trialId: 't1',
    elapsedS: 1,
    requests: 200,
    achievedRps: 199.876,
    latencyP50Ms: 4.51234,
  }),
  at(9, {
    type: 'trial-finished',
    label: 'mnist-cnn batch=1 light',
    record: measured({ verdict: 'invalid', reasons: [{ code: 'host-busy', detail: 'others took 0.4 CPUs' }] }),
  }),
  at(9, { type: 'warning', warning }),
  at(9, { type: 'trial-started', trialId: 't1', runOrder: 1, label: 'mnist-cnn batch=1 light' }),
  at(15, { type: 'trial-finished', label: 'mnist-cnn batch=1 light', record: measured({ attempt: 2 }) }),
  at(15, { type: 'trial-started', trialId: 't2', runOrder: 2, label: 'mnist-cnn batch=1 high' }),
  at(21, {
    type: 'trial-finished',
    label: 'mnist-cnn batch=1 high',
    record: measured({
      trialId: 't2',
      runOrder: 2,
      verdict: 'overloaded',
      reasons: [{ code: 'overloaded', detail: 'the backlog grew to 120' }],
    }),
  }),
  at(21, { type: 'server-stopped', configurationId: 'c1' }),
  at(22, {
    type: 'trial-finished',
    label: 'mnist-cnn batch=4 light',
    record: failed({
      trialId: 't3',
      runOrder: 3,
      phase: 'launch',
      reason: '\u001b[31mred\u001b[0m alert\r\nbell\u0007',
    }),
  }),
  at(23, { type: 'run-finished', outcome: 'interrupted', done: 3, failed: 1, invalid: 1, elapsedS: 23 }),
];
