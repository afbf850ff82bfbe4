import { LaunchError } from '../errors.ts';
import type { EngineName, ServerSpec } from '../spec/types.ts';
import { createContainerLauncher } from './container/container-launcher.ts';
import { createExternalLauncher } from './external-launcher.ts';
import { createNativeLauncher } from './native-launcher.ts';
import type { Launcher } from './types.ts';
import { withCpuFrequency } from './with-cpu-frequency.ts';

/** What a launcher is made from. */
type LaunchedServer = Pick<ServerSpec, 'engine' | 'container' | 'description' | 'url'>;

const LAUNCHERS: Readonly<Record<EngineName, (server: LaunchedServer) => Launcher>> = {
  native: () => createNativeLauncher(),
  docker: (server) => createContainerLauncher('docker', containerOptions(server)),
  podman: (server) => createContainerLauncher('podman', containerOptions(server)),
  external: ({ url = '', description }) => createExternalLauncher(url, description?.ready),
};

/**
 * The launcher that a spec's servers are started with; nothing is asked of the engine yet (see `Launcher.check`).
 *
 * @throws LaunchError for an engine that does not exist
 */
export function createLauncher(server: LaunchedServer): Launcher {
  const create = LAUNCHERS[server.engine];
  if (create !== undefined) return server.engine === 'external' ? create(server) : withCpuFrequency(create(server));
  throw new LaunchError({
    what: `dse does not run servers with the engine "${server.engine}"`,
    hint: `Use one of ${Object.keys(LAUNCHERS).join(', ')}.`,
  });
}

/** Another server runs from its own image unless the spec names one. */
function containerOptions({ container, description }: LaunchedServer) {
  return { ...(description === undefined ? {} : { image: description.image }), ...container };
}
