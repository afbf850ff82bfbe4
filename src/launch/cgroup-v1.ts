import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupV1Dirs, openCgroupV1 } from './cgroup-files.ts';
import { cgroupGroup, removeCgroups, tryToEnter } from './cgroup-group.ts';
import type { CgroupMount } from './cgroup-mounts.ts';
import {
  type Ability,
  type GroupLimits,
  type GroupMaker,
  QUOTA_PERIOD_US,
  quotaUs,
  type ServerGroup,
} from './group.ts';

type Controller = keyof CgroupV1Dirs;

/** Groups under this process's own cgroup in each v1 hierarchy, so that whatever limits dse itself limits its servers too. */
export function cgroupV1Maker(mounts: readonly CgroupMount[]): GroupMaker {
  const parents = new Map<Controller, string>();
  for (const controller of ['cpu', 'cpuacct', 'memory', 'blkio'] as const) {
    const mount = mounts.find(({ controllers }) => controllers.includes(controller));
    if (mount !== undefined && (controller !== 'blkio' || isWritable(mount.own))) parents.set(controller, mount.own);
  }
  return {
    mechanism: 'cgroup v1',
    isImmediate: true,
    probe: async (name) => ({
      cpus: await tryController(parents, 'cpu', name, { cpus: 0.5 }),
      memory: await tryController(parents, 'memory', name, { memoryBytes: 2 ** 26 }),
      usage: await tryController(parents, 'cpuacct', name, {}),
    }),
    make: (name, limits) => makeGroup(parents, controllersFor(parents, limits), name, limits),
  };
}

/** Block bytes are worth having, but not worth a server that cannot start. */
function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Only what is needed: usage where it can be had, and a controller for each limit asked. */
function controllersFor(parents: ReadonlyMap<Controller, string>, limits: GroupLimits): Controller[] {
  const controllers = (['cpuacct', 'blkio'] as const).filter((one) => parents.has(one)) as Controller[];
  if (limits.cpus !== undefined) controllers.push('cpu');
  if (limits.memoryBytes !== undefined) controllers.push('memory');
  return controllers;
}

async function makeGroup(
  parents: ReadonlyMap<Controller, string>,
  controllers: readonly Controller[],
  name: string,
  limits: GroupLimits,
): Promise<ServerGroup> {
  const dirs: Partial<Record<Controller, string>> = {};
  for (const controller of controllers) dirs[controller] = join(parents.get(controller) ?? '', name);
  // "cpu" and "cpuacct" are often one hierarchy, and so one directory.
  const distinct = [...new Set(Object.values(dirs))];
  try {
    for (const dir of distinct) mkdirSync(dir);
    writeLimits(dirs, limits);
  } catch (error) {
    await removeCgroups(distinct);
    throw error;
  }
  return cgroupGroup(distinct, openCgroupV1(dirs));
}

function writeLimits(dirs: CgroupV1Dirs, limits: GroupLimits): void {
  if (dirs.cpu !== undefined && limits.cpus !== undefined) {
    writeFileSync(join(dirs.cpu, 'cpu.cfs_period_us'), `${QUOTA_PERIOD_US}`);
    writeFileSync(join(dirs.cpu, 'cpu.cfs_quota_us'), `${quotaUs(limits.cpus)}`);
  }
  if (dirs.memory !== undefined && limits.memoryBytes !== undefined) {
    writeFileSync(join(dirs.memory, 'memory.limit_in_bytes'), `${limits.memoryBytes}`);
    writeSwapLimit(dirs.memory, limits.memoryBytes);
  }
}

/** Memory and swap together stay within the limit, so that a server over it ends instead of crawling. Kernels without swap accounting lack the file. */
function writeSwapLimit(dir: string, bytes: number): void {
  try {
    writeFileSync(join(dir, 'memory.memsw.limit_in_bytes'), `${bytes}`, { flag: 'r+' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function tryController(
  parents: ReadonlyMap<Controller, string>,
  controller: Controller,
  name: string,
  limits: GroupLimits,
): Promise<Ability> {
  const parent = parents.get(controller);
  if (parent === undefined) {
    const why = `the kernel's "${controller}" controller is not mounted`;
    return {
      isAvailable: false,
      why,
      fix: `mount it (mount -t cgroup -o ${controller} cgroup DIR), or boot with cgroup v2`,
    };
  }
  try {
    const group = await makeGroup(parents, [controller], name, limits);
    try {
      await tryToEnter([join(parent, name)]);
    } finally {
      await group.remove();
    }
    return { isAvailable: true };
  } catch (error) {
    const why = `no cgroup can be made in ${parent} (${(error as NodeJS.ErrnoException).code ?? 'a process cannot enter it'})`;
    return { isAvailable: false, why, fix: 'run dse as root' };
  }
}
