import { type Dirent, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, type Problem } from '../errors.ts';
import { unreachable } from '../unreachable.ts';
import { removeCgroups } from './cgroup-group.ts';
import { findCgroupMounts } from './cgroup-mounts.ts';
import { type LabelledContainer, listLabelledContainers, removeContainer } from './container/leftover-containers.ts';
import { restoreCpuFrequency } from './cpu-frequency.ts';
import { readEnvironmentVariable, readProcessStat } from './proc.ts';
import { findRunLabel, isRunAlive, RUN_LABEL_VARIABLE } from './run-label.ts';
import { signalProcess } from './server-process.ts';

/** Something that a run of dse made and that its dead process can no longer remove. */
export type Leftover =
  | { readonly kind: 'process'; readonly runLabel: string; readonly pid: number; readonly startTicks: number }
  | { readonly kind: 'cgroup'; readonly runLabel: string; readonly dir: string }
  | { readonly kind: 'folder'; readonly runLabel: string; readonly dir: string }
  | ({ readonly kind: 'container' } & LabelledContainer);

/** What `removeLeftovers` did: what is gone now, and what is not, with its reason. */
export interface Removal {
  readonly removed: readonly Leftover[];
  readonly problems: readonly Problem[];
}

const GROUP_NAME = /^dse-[0-9a-f]{8}-\d+-\d+-[0-9a-f]{6}-\d+$/;

/**
 * Processes, cgroups, containers and temporary folders of runs that are over.
 *
 * Only what carries a run label is looked at, only runs for which `isAlive` is false count, and this process and those above it never do. On systems without /proc there are
 * containers only: a native server ends there with the pipe to its dse, and nothing else is made. A process in a container counts as a process too, so that it is found also where its engine is dead.
 */
export async function findLeftovers(isAlive: (runLabel: string) => boolean = isRunAlive): Promise<Leftover[]> {
  return [...(await findContainers()), ...findProcesses(), ...findCgroups(), ...findFolders()].filter(
    ({ runLabel }) => !isAlive(runLabel),
  );
}

/** Removes containers, cgroups and folders of the list and ends its processes; what is gone already counts as removed. */
export async function removeLeftovers(leftovers: readonly Leftover[]): Promise<Removal> {
  const removed: Leftover[] = [];
  const problems: Problem[] = [];
  // Containers first, which takes their processes with them; cgroups last, which can only go when they are empty.
  const order = ['container', 'process', 'cgroup', 'folder'];
  const ordered = [...leftovers].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  for (const leftover of ordered) {
    try {
      await removeLeftover(leftover);
      removed.push(leftover);
    } catch (error) {
      const where = describeLeftover(leftover);
      const hint = 'Run "dse clean" again as the user who ran the experiment, or as root.';
      problems.push({
        where,
        what: `it is left from run ${leftover.runLabel} and cannot be removed: ${messageOf(error)}`,
        hint,
      });
    }
  }
  return { removed, problems };
}

/** What it is and where, e.g. "process 123". */
export function describeLeftover(leftover: Leftover): string {
  switch (leftover.kind) {
    case 'process':
      return `process ${leftover.pid}`;
    case 'cgroup':
      return `cgroup ${leftover.dir}`;
    case 'folder':
      return `folder ${leftover.dir}`;
    case 'container':
      return `${leftover.engine} container ${leftover.id.slice(0, 12)}`;
    default:
      return unreachable(leftover);
  }
}

async function removeLeftover(leftover: Leftover): Promise<void> {
  if (leftover.kind === 'cgroup') return removeCgroups([leftover.dir]);
  if (leftover.kind === 'folder') {
    restoreCpuFrequency(leftover.dir);
    return rmSync(leftover.dir, { recursive: true, force: true });
  }
  if (leftover.kind === 'container') return removeContainer(leftover, leftover.id);
  // The id may have been given to another process since the list was made.
  if (readProcessStat(leftover.pid)?.startTicks === leftover.startTicks) signalProcess(leftover.pid, 'SIGKILL');
}

async function findContainers(): Promise<Leftover[]> {
  return (await listLabelledContainers()).map((one) => ({ kind: 'container', ...one }));
}

function findProcesses(): Leftover[] {
  if (process.platform !== 'linux') return [];
  const untouchable = ownLine();
  return listDirs('/proc').flatMap(({ name }) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || untouchable.includes(pid)) return [];
    const runLabel = findRunLabel(readEnvironmentVariable(pid, RUN_LABEL_VARIABLE) ?? '');
    const stat = readProcessStat(pid);
    return runLabel === undefined || stat === undefined || stat.state === 'Z'
      ? []
      : [{ kind: 'process', runLabel, pid, startTicks: stat.startTicks } as const];
  });
}

/** This process and its ancestors: a shell that was given a label by hand, and dse under it, are not left over from anything. */
function ownLine(): number[] {
  const line: number[] = [];
  for (let pid = process.pid; pid > 0 && !line.includes(pid); pid = readProcessStat(pid)?.parentPid ?? 0)
    line.push(pid);
  return line;
}

function findCgroups(): Leftover[] {
  const roots = new Set(findCgroupMounts().map(({ root }) => root));
  return [...roots].flatMap(findGroupDirs).map((dir) => ({ kind: 'cgroup', runLabel: findRunLabel(dir) ?? '', dir }));
}

/** Folders that hold the files of other servers, or the clock limits to put back. */
function findFolders(): Leftover[] {
  return listDirs(tmpdir())
    .filter(({ name }) => GROUP_NAME.test(name))
    .map(({ name }) => ({ kind: 'folder', runLabel: findRunLabel(name) ?? '', dir: join(tmpdir(), name) }));
}

/** Directories with the name of one of our groups, anywhere below. A run may have been started from any cgroup. */
function findGroupDirs(root: string): string[] {
  return listDirs(root).flatMap(({ name }) => {
    const dir = join(root, name);
    return GROUP_NAME.test(name) ? [dir] : findGroupDirs(dir);
  });
}

function listDirs(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return [];
  }
}
