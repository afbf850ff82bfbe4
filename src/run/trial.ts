import type { PlannedTrial } from '../design/types.ts';
import { messageOf, StoreError } from '../errors.ts';
import type { ServerExit } from '../launch/types.ts';
import { RequestLog } from '../load/index.ts';
import type { TrialBase, TrialPhase, TrialRecord } from '../store/types.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import type { RunningConfiguration } from './configuration.ts';
import { arrivalSeedOf, offeredLoadOf } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { type Counters, readCpuTimeUs } from './counters.ts';
import { waitForQuietHost } from './idle-gate.ts';
import { arePrecise, findLatencyIntervals } from './intervals.ts';
import { measureTrial } from './measurement.ts';
import { reportProgress } from './progress.ts';
import { hasPattern, RunningLoad, withoutPattern } from './running-load.ts';
import { keepSideFiles } from './side-files.ts';
import { warmUp } from './warm-up.ts';
import { passWindows, spanOf } from './windows.ts';

/** What is known about a trial before it starts. */
export type TrialIdentity = Omit<TrialBase, 'startedAt' | 'durationS'>;

/**
 * Runs one trial on a server that is ready: idle gate, loads of neighbours and its own on, warm-up until steady, measurement
 * windows, loads off, drain.
 *
 * Latency, energy, CPU, memory and network are counted from the first window's start to the last one's end and nowhere else. Whatever goes wrong with the server or the
 * load is returned as a failed trial.
 * @throws Interrupted where the user ended the run; nothing is then recorded
 */
export async function runTrial(
  trial: PlannedTrial,
  identity: TrialIdentity,
  configuration: RunningConfiguration,
  context: RunContext,
): Promise<TrialRecord> {
  const { spec, load } = context;
  const { signal, server, neighbours } = configuration;
  const clock = startClock();
  let phase: TrialPhase = 'idle-gate';
  const enter = (next: TrialPhase) => {
    phase = next;
    context.emit({ type: 'trial-phase', trialId: identity.trialId, phase: next });
  };
  try {
    enter('idle-gate');
    const idleGateWaitS = await waitForQuietHost(
      spec.measure.idleGateS,
      context.idle,
      context.meter,
      () => readCpuTimeUs(configuration, load),
      signal,
    );

    enter('warm-up');
    const offered = offeredLoadOf(trial, configuration.capacity.capacityRps, spec);
    const log = new RequestLog();
    await using neighbourLoads = await neighbours.startLoads(arrivalSeedOf(trial, spec));
    await using running = new RunningLoad(load, log, signal);
    using _progress = reportProgress(identity.trialId, log, context);
    await running.start(withoutPattern(offered));
    const warmup = await warmUp(log, spec.measure, signal);

    enter('measure');
    // Else the peak of an earlier load level would be told again as this one's.
    await Promise.all([server, ...neighbours.servers].map((one) => one.resetMemoryPeak()));
    if (hasPattern(offered)) await running.start(offered);
    const findIntervals = (edges: readonly Counters[]) =>
      findLatencyIntervals(
        log.all(),
        spanOf(edges),
        { offered, capacityRps: configuration.capacity.capacityRps },
        spec.measure,
      );
    const isPrecise = (edges: readonly Counters[]) => arePrecise(findIntervals(edges), spec.measure.precision);
    const windows = await passWindows(configuration, context, hasPattern(offered) ? undefined : isPrecise);

    enter('drain');
    const { startedAtNs } = await running.stop();
    // Not before the last request of the window was answered: it too is to meet the neighbours.
    const beside = await neighbourLoads.stop();
    const measured = { records: log.all(), neighbours: beside };
    const observed = { trial, offered, startedAtNs, warmup, idleGateWaitS, windows, ...measured, configuration };
    await keepSideFiles(observed, identity, context);
    return {
      ...identity,
      ...clock.read(),
      state: 'done',
      ...measureTrial({ ...observed, intervals: findIntervals(windows.edges), context }),
      applied: server.applied,
      mechanism: server.mechanism,
      ...(server.imageDigest === undefined ? {} : { imageDigest: server.imageDigest }),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    // What the store refuses (a full disk) ends the run: the next trial could not be recorded either.
    if (error instanceof StoreError) throw error;
    return { ...identity, ...clock.read(), ...failedIn(phase, error, configuration.exit()) };
  }
}

/** The part of a failed trial's record that says why. */
export function failedIn(phase: TrialPhase, error: unknown, exit: ServerExit | undefined) {
  return { state: 'failed', phase, reason: messageOf(error), ...(exit === undefined ? {} : { exit }) } as const;
}

/** When something started, by the wall clock, and how long ago, by the monotonic one. */
export function startClock(): { read(): { startedAt: string; durationS: number } } {
  const startedAt = new Date().toISOString();
  const startNs = monotonicNs();
  return { read: () => ({ startedAt, durationS: (monotonicNs() - startNs) / NS_PER_S }) };
}
