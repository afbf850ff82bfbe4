import { LaunchError } from '../errors.ts';
import type { EngineName } from '../spec/types.ts';
import { createNativeLauncher } from './native-launcher.ts';
import type { Launcher } from './types.ts';

const LAUNCHERS: Partial<Record<EngineName, () => Launcher>> = {
  native: createNativeLauncher,
};

/** @throws LaunchError for an engine that this version does not have */
export function createLauncher(engine: EngineName): Launcher {
  const create = LAUNCHERS[engine];
  if (create !== undefined) return create();
  throw new LaunchError({
    what: `this version of dse does not run servers with the engine "${engine}"`,
    hint: `Use "--engine ${Object.keys(LAUNCHERS).join('", "')}", or leave "server.engine" out of the spec.`,
  });
}
