export { describeEngine } from './container/check-engine.ts';
export { type ContainerLauncherOptions, createContainerLauncher } from './container/container-launcher.ts';
export { listSilentEngines } from './container/leftover-containers.ts';
export { savedModelOf } from './container/other-server.ts';
export { type RunCommandOptions, runCommand } from './container/run-command.ts';
export { assignCpus, type CpuAssignment, onlineCpus } from './cpus.ts';
export { createLauncher } from './create-launcher.ts';
export {
  ensureServerImage,
  listOldImages,
  removeImages,
  type ServerImage,
  serverImageTag,
} from './image/server-image.ts';
export { describeLeftover, findLeftovers, type Leftover, removeLeftovers } from './leftovers.ts';
export { describeLimitSupport, type LimitSupport } from './limit-support.ts';
export { createNativeLauncher } from './native-launcher.ts';
export { readOwnThrottledUs } from './own-throttling.ts';
export { createRunLabel, isRunAlive } from './run-label.ts';
export type * from './types.ts';
