import type { ExperimentSpec } from '../spec/types.ts';
import type { PlannedConfiguration } from './types.ts';

/** What a launch and a trial take beyond the settings of the spec, seconds. Round figures for a first guess; a run replaces them by what it sees. */
const LAUNCH_S = 1;
const TRIAL_OVERHEAD_S = 0.5;
/** A warm-up under `auto`, unless its cap is lower. */
const AUTO_WARMUP_S = 2;

/**
 * First guess of how long configurations take, seconds: launches, calibrations, warm-ups and the windows measured at least.
 *
 * Leaves out what cannot be known beforehand: windows added for precision, waits for a quiet machine, retries. The idle measurement is counted once where energy is measured.
 */
export function estimateRunS(spec: ExperimentSpec, configurations: readonly PlannedConfiguration[]): number {
  const { measure, energy } = spec;
  const warmupS = measure.warmupS === 'auto' ? Math.min(AUTO_WARMUP_S, measure.maxWarmupS) : measure.warmupS;
  const trialS = warmupS + measure.windows * measure.windowS + TRIAL_OVERHEAD_S;
  const trials = configurations.reduce((count, configuration) => count + configuration.trials.length, 0);
  const idleS = energy.source === 'none' || trials === 0 ? 0 : energy.idleS;
  return idleS + configurations.length * (LAUNCH_S + measure.calibrationS) + trials * trialS;
}
