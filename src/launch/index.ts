export { assignCpus, type CpuAssignment, onlineCpus } from './cpus.ts';
export { createLauncher } from './create-launcher.ts';
export { findLeftovers, type Leftover, type Removal, removeLeftovers } from './leftovers.ts';
export { describeLimitSupport, type LimitName, type LimitSupport } from './limit-support.ts';
export { createNativeLauncher, type NativeLauncherOptions } from './native-launcher.ts';
export { createRunLabel, isRunAlive, RUN_LABEL_VARIABLE } from './run-label.ts';
export type * from './types.ts';
