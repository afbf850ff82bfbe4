import { LaunchError } from '../errors.ts';
import type { EngineName } from '../spec/types.ts';
import { type ContainerLauncherOptions, createContainerLauncher } from './container/container-launcher.ts';
import { createNativeLauncher } from './native-launcher.ts';
import type { Launcher } from './types.ts';

const LAUNCHERS: Readonly<Record<EngineName, (options: ContainerLauncherOptions) => Launcher>> = {
  native: () => createNativeLauncher(),
  docker: (options) => createContainerLauncher('docker', options),
  podman: (options) => createContainerLauncher('podman', options),
};

/**
 * The launcher of an engine; nothing is asked of the engine yet (see `Launcher.check`).
 *
 * @param options - for engines that run containers; of no meaning for others
 * @throws LaunchError for an engine that does not exist
 */
export function createLauncher(engine: EngineName, options: ContainerLauncherOptions = {}): Launcher {
  const create = LAUNCHERS[engine];
  if (create !== undefined) return create(options);
  throw new LaunchError({
    what: `dse does not run servers with the engine "${engine}"`,
    hint: `Use one of ${Object.keys(LAUNCHERS).join(', ')}.`,
  });
}
