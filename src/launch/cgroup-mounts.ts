import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readIfThere } from './proc.ts';

/** A mounted cgroup hierarchy and where this process stands in it. */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** Controllers of a v1 hierarchy, e.g. ["cpu", "cpuacct"]; empty for v2. */
  readonly controllers: readonly string[];
  /** Where it is mounted. */
  readonly root: string;
  /** This process's own directory in it. */
  readonly own: string;
}

/** The cgroup hierarchies of this machine; empty where there are none (macOS). */
export function findCgroupMounts(
  mountinfo: string = readIfThere('/proc/self/mountinfo') ?? '',
  ownCgroups: string = readIfThere('/proc/self/cgroup') ?? '',
): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const mount = parseMountLine(line);
    if (mount === undefined) return [];
    const path = parseOwnPaths(ownCgroups).find(({ controllers }) =>
      mount.version === 2 ? controllers.length === 0 : controllers.some((one) => mount.controllers.includes(one)),
    )?.path;
    const own = resolve(mount.root, `.${stripPrefix(path ?? '/', mount.rootPath)}`);
    return [{ ...mount, own: existsSync(own) ? own : mount.root }];
  });
}

/** The own cgroup, its parent and so on up to what is mounted. */
export function ownAndAbove({ own, root }: Pick<CgroupMount, 'own' | 'root'>): string[] {
  const dirs = [own];
  for (let dir = own; dir !== root && dir.startsWith(root); dir = dirname(dir)) dirs.push(dirname(dir));
  return dirs;
}

/** The directory of a process in the v2 hierarchy; undefined where it is gone or v2 is not mounted. */
export function findCgroupV2Dir(pid: number): string | undefined {
  const mount = findCgroupMounts().find(({ version }) => version === 2);
  const text = readIfThere(`/proc/${pid}/cgroup`);
  if (mount === undefined || text === undefined) return undefined;
  const path = parseOwnPaths(text).find(({ controllers }) => controllers.length === 0)?.path;
  return path === undefined ? undefined : join(mount.root, path);
}

/** Source: proc_pid_mountinfo(5): `36 35 98:0 /rootPath /mountPoint options [optional fields] - type source superOptions`. */
function parseMountLine(line: string) {
  const [left, right] = line.split(' - ');
  const [, , , rootPath, root] = left?.split(' ') ?? [];
  const [type, , options] = right?.split(' ') ?? [];
  if (rootPath === undefined || root === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return undefined;
  const controllers = type === 'cgroup' ? (options ?? '').split(',') : [];
  return { version: type === 'cgroup' ? 1 : 2, controllers, root, rootPath } as const;
}

/** Source: cgroups(7), /proc/PID/cgroup: `id:controllers:path`, where v2 names no controllers. */
function parseOwnPaths(text: string): { controllers: readonly string[]; path: string }[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) return [];
    return [{ controllers: (match[1] ?? '').split(',').filter(Boolean), path: match[2] ?? '/' }];
  });
}

/** A mount may show only a part of the hierarchy (in a container); paths in /proc then begin with that part. */
function stripPrefix(path: string, prefix: string): string {
  if (prefix === '/' || (path !== prefix && !path.startsWith(`${prefix}/`))) return path;
  return path.slice(prefix.length);
}
