import { chmod, mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import { LaunchError, messageOf, StoreError } from '../errors.ts';
import { acquireLock, isLockDead, type LockOwner } from '../store/index.ts';

const LOCK_NAME = /^cpu-\d+\.lock$/;

/** Where runs tell each other which CPUs they measure on: one place for the whole machine, so that it is not a setting of an experiment. */
export function cpuLockFolder(): string {
  return process.env.DSE_CPU_LOCKS ?? path.join(tmpdir(), 'dse-cpus');
}

/**
 * Holds the lock of every CPU that a run measures on until disposed, so that no two runs disturb each other's numbers unawares. Locks of runs that were killed are taken over.
 *
 * @param lists - in the kernel's list format; the same CPU may be in several
 * @param purpose - what the run is, as another that meets the lock will tell it, e.g. "results in /home/me/results/a"
 * @throws LaunchError while another run measures on one of them, having let go of the others
 */
export async function lockCpus(
  lists: readonly string[],
  purpose: string,
  folder: string = cpuLockFolder(),
): Promise<AsyncDisposable> {
  const cpus = [...new Set(lists.flatMap((list) => parseCpuList(list) ?? []))].sort((a, b) => a - b);
  const held: AsyncDisposable[] = [];
  const release = async () => {
    for (const lock of held) await lock[Symbol.asyncDispose]();
  };
  try {
    await mkdir(folder, { recursive: true });
    // Every user of the machine is to be able to lock; the sticky bit keeps them from removing each other's locks. Only the folder's owner can say so, and has.
    await chmod(folder, 0o1777).catch(() => {});
    for (const cpu of cpus) {
      held.push(await acquireLock(path.join(folder, `cpu-${cpu}.lock`), { purpose, heldBy: refusal(cpu, cpus) }));
    }
  } catch (error) {
    await release();
    if (error instanceof LaunchError) throw error;
    throw unusable(folder, error);
  }
  return { [Symbol.asyncDispose]: release };
}

/** Lock files of runs that were killed, which the next run would take over. */
export async function findDeadCpuLocks(folder: string = cpuLockFolder()): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => LOCK_NAME.test(name)).map((name) => path.join(folder, name));
  const areDead = await Promise.all(files.map((file) => isLockDead(file).catch(() => false)));
  return files.filter((_, at) => areDead[at]);
}

function refusal(cpu: number, cpus: readonly number[]) {
  return (file: string, { pid, since, purpose }: LockOwner) =>
    new LaunchError({
      where: file,
      what: `CPU ${cpu} is being measured on by another dse: process ${pid} since ${since}${purpose === undefined ? '' : `, ${purpose}`}; this run wants CPUs ${formatCpuList(cpus)}`,
      hint: 'Wait until it is done, give this run other CPUs (server.cpuset and generator.cpuset), or add --share-cpus and have both disturb each other.',
    });
}

function unusable(folder: string, error: unknown): LaunchError {
  return new LaunchError(
    {
      where: error instanceof StoreError ? (error.problems[0]?.where ?? folder) : folder,
      what: `it cannot be told whether another dse measures on these CPUs: ${error instanceof StoreError ? error.problems[0]?.what : messageOf(error)}`,
      hint: 'Give this user permission to it, set DSE_CPU_LOCKS to another folder, or add --share-cpus where nothing else measures here.',
    },
    error,
  );
}
