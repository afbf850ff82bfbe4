import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCgroupV2 } from './cgroup-files.ts';
import { cgroupGroup, removeCgroups, tryToEnter } from './cgroup-group.ts';
import { type CgroupMount, ownAndAbove } from './cgroup-mounts.ts';
import {
  type Ability,
  type GroupLimits,
  type GroupMaker,
  type GroupSupport,
  QUOTA_PERIOD_US,
  quotaUs,
} from './group.ts';
import { readIfThere } from './proc.ts';

const FIX = 'run dse as root';

/**
 * Groups in the v2 hierarchy, under the nearest ancestor of this process's own cgroup where a child gets the controllers.
 *
 * The own cgroup seldom does: one that holds processes may not hand controllers to its children. Where systemd runs it switches controllers on and off in the whole tree as
 * its units come and go, and a limit set here could vanish in the middle of a trial; so there only CPU time, which every cgroup counts, is taken from a group
 * of our own, and limits are left to systemd (see `systemd-scope.ts`).
 */
export function cgroupV2Maker(mount: CgroupMount, hasSystemd: boolean = existsSync('/run/systemd/system')): GroupMaker {
  let parent = mount.own;
  return {
    mechanism: 'cgroup v2',
    isImmediate: true,
    async probe(name) {
      let best: Candidate = {
        dir: mount.own,
        why: `no cgroup can be made under ${mount.root}`,
        controllers: undefined,
      };
      for (const dir of ownAndAbove(mount)) {
        const candidate = await tryParent(dir, name, hasSystemd);
        if (rank(candidate) > rank(best)) best = candidate;
      }
      parent = best.dir;
      return supportOf(best);
    },
    async make(name, limits) {
      const dir = join(parent, name);
      mkdirSync(dir);
      try {
        writeLimits(dir, limits);
      } catch (error) {
        await removeCgroups([dir]);
        throw error;
      }
      return cgroupGroup([dir], openCgroupV2(dir));
    },
  };
}

/** A directory that may become the parent, with the controllers a child of it has; undefined where no process of ours can be put in a child. */
interface Candidate {
  readonly dir: string;
  readonly why: string;
  readonly controllers: readonly string[] | undefined;
}

function rank({ controllers }: Candidate): number {
  if (controllers === undefined) return 0;
  return 1 + ['cpu', 'memory'].filter((one) => controllers.includes(one)).length;
}

async function tryParent(parent: string, name: string, hasSystemd: boolean): Promise<Candidate> {
  const dir = join(parent, name);
  try {
    if (!hasSystemd) handDownControllers(parent);
    mkdirSync(dir);
    try {
      await tryToEnter([dir]);
      if (hasSystemd) return { dir: parent, why: 'its controllers belong to systemd here', controllers: [] };
      const controllers = (readIfThere(join(dir, 'cgroup.controllers')) ?? '').trim().split(' ').filter(Boolean);
      return { dir: parent, why: `${parent} hands down only: ${controllers.join(', ') || 'nothing'}`, controllers };
    } finally {
      await removeCgroups([dir]);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'a process cannot enter it';
    return { dir: parent, why: `no cgroup can be made in ${parent} (${code})`, controllers: undefined };
  }
}

function handDownControllers(parent: string): void {
  for (const controller of ['cpu', 'memory', 'io']) {
    try {
      writeFileSync(join(parent, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Not ours to give, or the cgroup holds processes: what a child really gets is read from it afterwards.
    }
  }
}

function supportOf({ controllers, why }: Candidate): GroupSupport {
  const of = (isAvailable: boolean): Ability => (isAvailable ? { isAvailable } : { isAvailable, why, fix: FIX });
  return {
    cpus: of(controllers?.includes('cpu') ?? false),
    memory: of(controllers?.includes('memory') ?? false),
    // CPU time is counted in every v2 cgroup, also without the controller.
    usage: of(controllers !== undefined),
  };
}

function writeLimits(dir: string, limits: GroupLimits): void {
  if (limits.cpus !== undefined) writeFileSync(join(dir, 'cpu.max'), `${quotaUs(limits.cpus)} ${QUOTA_PERIOD_US}`);
  if (limits.memoryBytes === undefined) return;
  writeFileSync(join(dir, 'memory.max'), `${limits.memoryBytes}`);
  // Without swap a server over its limit ends instead of crawling. Kernels without swap accounting lack the file.
  if (existsSync(join(dir, 'memory.swap.max'))) writeFileSync(join(dir, 'memory.swap.max'), '0');
}
