/** The one place that joins the edges: launch, load, energy and store around the trials of a design. */
export { limitsOf, serverSettingsOf } from './configuration-settings.ts';
export { cpuLockFolder, findDeadCpuLocks } from './cpu-lock.ts';
export { type RunOptions, type RunOutcome, runExperiment } from './experiment.ts';
export { describeMachine } from './machine.ts';
