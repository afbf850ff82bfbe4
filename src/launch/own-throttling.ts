import { openCgroupV1, openCgroupV2 } from './cgroup-files.ts';
import { findCgroupMounts, ownAndAbove } from './cgroup-mounts.ts';

/**
 * Length of the quota periods in which a CPU quota on this process's cgroup, or on one above it, was used up, microseconds: that of a container dse runs in, for example.
 * Undefined where there is none or the system does not tell. Servers and the load generator are held back with it.
 */
export function readOwnThrottledUs(mounts = findCgroupMounts()): number | undefined {
  const heldBackUs = mounts
    .filter(({ version, controllers }) => version === 2 || controllers.includes('cpu'))
    .flatMap((mount) => ownAndAbove(mount).map((dir) => ({ dir, version: mount.version })))
    .map(({ dir, version }) => (version === 2 ? openCgroupV2(dir) : openCgroupV1({ cpu: dir })).readThrottledUs())
    .filter((us) => us !== undefined);
  return heldBackUs.length === 0 ? undefined : heldBackUs.reduce((sum, us) => sum + us, 0);
}
