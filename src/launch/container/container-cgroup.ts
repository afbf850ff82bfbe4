import { LaunchError } from '../../errors.ts';
import { type CgroupV1Dirs, openCgroupV1, openCgroupV2 } from '../cgroup-files.ts';
import { type CgroupMount, findCgroupMounts } from '../cgroup-mounts.ts';
import type { GroupFiles } from '../group.ts';
import { readIfThere } from '../proc.ts';

/** The counters of a container's cgroup, and which kind of cgroup they are. */
export interface ContainerCgroup {
  readonly files: GroupFiles;
  readonly version: 1 | 2;
}

/**
 * Finds the cgroup of a container by its first process, on this machine.
 *
 * Only a cgroup that carries the container's id counts: any other directory would hold somebody else's numbers.
 * @param id - the container's full id
 * @throws LaunchError where the container's processes are not in sight, as with an engine on another machine
 */
export function openContainerCgroup(pid: number, id: string): ContainerCgroup {
  const mounts = findCgroupMounts(undefined, readIfThere(`/proc/${pid}/cgroup`) ?? '').filter(({ own }) =>
    own.includes(id),
  );
  const v1 = v1Dirs(mounts);
  // Where both are mounted (hybrid), the controllers belong to v1 and v2 only tracks processes.
  if (Object.keys(v1).length > 0) return { files: openCgroupV1(v1), version: 1 };
  const v2 = mounts.find(({ version }) => version === 2);
  if (v2 !== undefined) return { files: openCgroupV2(v2.own), version: 2 };
  throw new LaunchError({
    what: `the cgroup of container ${id.slice(0, 12)} is not on this machine, so that its limits cannot be read back nor its CPU time be counted`,
    hint: 'Run dse on the machine of the engine, outside of containers (or with --pid host and --cgroupns host).',
  });
}

function v1Dirs(mounts: readonly CgroupMount[]): CgroupV1Dirs {
  const dirs: { -readonly [Controller in keyof CgroupV1Dirs]: string } = {};
  for (const controller of ['cpu', 'cpuacct', 'memory', 'blkio'] as const) {
    const mount = mounts.find(({ controllers }) => controllers.includes(controller));
    if (mount !== undefined) dirs[controller] = mount.own;
  }
  return dirs;
}
