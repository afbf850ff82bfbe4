import { neighboursOf } from '../spec/index.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import type { PlannedConfiguration } from './types.ts';

/** What a launch with its readiness check, and a trial beside its warm-up and windows, take with the native engine, seconds. Round figures; a run replaces them by what it sees. */
const LAUNCH_S = 1.5;
const TRIAL_OVERHEAD_S = 0.7;
/** A warm-up under `auto` where the load is steady from the start. */
const AUTO_WARMUP_S = 2;
/**
 * First guess of how long configurations take, seconds: launches of servers and neighbours, calibrations (twice where there is a service-level objective to search for), warm-ups and the windows
 * measured at least, and the idle measurement before each block.
 *
 * Leaves out what cannot be known beforehand: windows added for precision, slow warm-ups, waits for a quiet machine, retries.
 */
export function estimateRunS(spec: ExperimentSpec, configurations: readonly PlannedConfiguration[]): number {
  const { measure, energy } = spec;
  const warmupS = measure.warmupS === 'auto' ? Math.min(AUTO_WARMUP_S, measure.maxWarmupS) : measure.warmupS;
  const trialS = warmupS + measure.windows * measure.windowS + TRIAL_OVERHEAD_S;
  const launchS = LAUNCH_S + measure.calibrationS * (measure.sloLatencyMs === undefined ? 1 : 2);
  const trials = configurations.reduce((count, configuration) => count + configuration.trials.length, 0);
  const blocks = new Set(configurations.map(({ block }) => block)).size;
  const idleS = energy.source === 'none' ? 0 : blocks * energy.idleS;
  const neighbours = configurations.flatMap(({ levels }) => neighboursOf(levels.colocated));
  const neighboursS = neighbours.reduce(
    (sum, { load }) => sum + LAUNCH_S + (load.kind === 'utilization' ? measure.calibrationS : 0),
    0,
  );
  return idleS + configurations.length * launchS + neighboursS + trials * trialS;
}
