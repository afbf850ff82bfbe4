export { type ContainerLauncherOptions, createContainerLauncher } from './container/container-launcher.ts';
export { assignCpus, type CpuAssignment, onlineCpus } from './cpus.ts';
export { createLauncher } from './create-launcher.ts';
export { ensureServerImage, type ServerImage } from './image/server-image.ts';
export { describeLeftover, findLeftovers, type Leftover, removeLeftovers } from './leftovers.ts';
export { describeLimitSupport, type LimitSupport } from './limit-support.ts';
export { createNativeLauncher } from './native-launcher.ts';
export { createRunLabel, isRunAlive } from './run-label.ts';
export type * from './types.ts';
