import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import { type DseError, StoreError } from '../errors.ts';
import { codeOf, fileError } from './file-system.ts';

const ownerSchema = z.object({
  pid: z.int(),
  process: z.string(),
  host: z.string(),
  since: z.string(),
  purpose: z.string().optional(),
});

/** Who holds a lock. */
export type LockOwner = z.infer<typeof ownerSchema>;

export interface LockOptions {
  /** What it is held for, as the lock tells others. */
  readonly purpose?: string;
  /** The error for whoever finds it held; by default that of a result folder. */
  readonly heldBy?: (path: string, owner: LockOwner) => DseError;
}

/** Two takers may meet over one stale lock; each round one of them gets on. */
const MAX_ROUNDS = 5;

/**
 * Holds a lock file until disposed, so that two runs never write into one folder, or measure on one CPU.
 *
 * The file names its owner by process id and start time, so the lock of a process that died (kill -9, power loss) is recognised and taken over, also when its
 * process id has since been given to another.
 * @throws what `heldBy` says, a StoreError by default, while another process holds it; StoreError where the file cannot be made
 */
export async function acquireLock(
  path: string,
  { purpose, heldBy = folderHeldBy }: LockOptions = {},
): Promise<AsyncDisposable> {
  const mine = JSON.stringify(describeSelf(purpose));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (await create(path, mine)) return { [Symbol.asyncDispose]: () => release(path, mine) };
    const found = await readIfThere(path);
    if (found === undefined) continue;
    const owner = parseOwner(found);
    if (owner !== undefined && isAlive(owner)) throw heldBy(path, owner);
    await removeStale(path, found);
  }
  throw new StoreError({
    where: path,
    what: 'could not get this lock: other runs keep taking it',
    hint: 'Wait until they are done, or choose another folder with --out DIR.',
  });
}

/** Whether a lock file is there whose owner is not any more; who comes next would take it over. */
export async function isLockDead(path: string): Promise<boolean> {
  const found = await readIfThere(path);
  const owner = found === undefined ? undefined : parseOwner(found);
  return owner !== undefined && !isAlive(owner);
}

/** Removes a lock file whose owner is gone; any other stays. */
export async function removeDeadLock(path: string): Promise<void> {
  const found = await readIfThere(path);
  if (found !== undefined && (await isLockDead(path))) await removeStale(path, found);
}

/** Makes the file with its content in one step, so that no reader ever finds it half written. False where it exists. */
async function create(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, content);
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw fileError(path, 'make the lock of this folder', error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Moves the lock aside before deleting it: should it no longer be the stale one that was read, it is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw fileError(path, 'remove a stale lock', error);
  } finally {
    await rm(aside, { force: true });
  }
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readIfThere(path)) === mine) await rm(path, { force: true });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(path, 'read the lock of this folder', error);
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function describeSelf(purpose: string | undefined): LockOwner {
  return {
    pid: process.pid,
    process: identityOf(process.pid) ?? 'unknown',
    host: hostname(),
    since: new Date().toISOString(),
    purpose,
  };
}

/** A process of another host cannot be looked up from here, so it counts as alive. */
function isAlive(owner: LockOwner): boolean {
  return owner.host !== hostname() || identityOf(owner.pid) === owner.process;
}

/** When a process started, in the system's own terms; undefined where there is no such process. */
function identityOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // proc_pid_stat(5): field 3 is the state, field 22 the start time; the name in field 2 may hold spaces and parentheses.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const isGone = fields[0] === 'Z' || fields[0] === 'X';
      return isGone ? undefined : `${boot}/${fields[19]}`;
    }
    const env = { ...process.env, LC_ALL: 'C' };
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env }).trim();
  } catch {
    return undefined;
  }
}

function folderHeldBy(path: string, owner: LockOwner): StoreError {
  const isHere = owner.host === hostname();
  return new StoreError({
    where: path,
    what: `another dse writes into this folder: process ${owner.pid} on ${owner.host}, since ${owner.since}`,
    hint: isHere
      ? 'Wait until it is done, or choose another folder with --out DIR.'
      : `Wait until it is done, or choose another folder with --out DIR. If no dse runs on ${owner.host} any more, delete this file.`,
  });
}
