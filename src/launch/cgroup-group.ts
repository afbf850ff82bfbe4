import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { GroupFiles, ServerGroup } from './group.ts';

/** Writes its own process id into each file before "--", then becomes the command after it. */
const ENTER_SCRIPT = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"';

/** How long the kernel may take to let go of the last dead process of a group. */
const REMOVE_TIMEOUT_MS = 2_000;
const REMOVE_RETRY_MS = 20;

/** A group made of cgroup directories: one in v2, one for each controller in v1. */
export function cgroupGroup(dirs: readonly string[], files: GroupFiles): ServerGroup {
  return {
    wrap: (command) => enterCommand(dirs, command),
    open: () => files,
    remove: () => removeCgroups(dirs),
  };
}

/** The command that enters the cgroups and then becomes `command`. A process that cannot enter exits with 125 and runs nothing. */
function enterCommand(dirs: readonly string[], command: readonly string[]): string[] {
  return ['sh', '-c', ENTER_SCRIPT, 'dse-enter', ...dirs.map((dir) => join(dir, 'cgroup.procs')), '--', ...command];
}

/** Throws unless a process of this user can enter the cgroups: a short-lived one tries. */
export async function tryToEnter(dirs: readonly string[]): Promise<void> {
  const [file = 'sh', ...args] = enterCommand(dirs, ['true']);
  await execa(file, args);
}

/**
 * Removes cgroup directories; one that is gone already is fine.
 *
 * @throws the kernel's EBUSY where a process is still inside after two seconds
 */
export async function removeCgroups(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) await removeCgroup(dir, Date.now() + REMOVE_TIMEOUT_MS);
}

async function removeCgroup(dir: string, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      rmdirSync(dir);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || Date.now() > deadlineMs) throw error;
      await sleep(REMOVE_RETRY_MS);
    }
  }
}
