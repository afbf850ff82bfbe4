import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readProcessStat } from './proc.ts';

/** Environment variable that marks every process started for a run with the run's label. */
export const RUN_LABEL_VARIABLE = 'DSE_RUN';

/** `<machine>-<pid>-<start time>-<random>`; matches also inside a longer name, such as a cgroup's. */
const LABEL = /([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{6}/;

/** Start times read through `ps` have whole seconds; two readings of one process may round apart. */
const START_TOLERANCE_S = 2;

/**
 * A name for one run of dse, unique on this machine, from which any later process can tell whether that run still goes on.
 *
 * It holds this process's id and start time, so a process id that was given out again fools nobody, and a hash of the boot and of the process id
 * namespace, because process ids mean something only there.
 */
export function createRunLabel(): string {
  const startedAt = readStartTime(process.pid);
  if (startedAt === undefined) throw new Error(`process ${process.pid} cannot read its own start time`);
  return `${pidScope()}-${process.pid}-${startedAt}-${randomBytes(3).toString('hex')}`;
}

/**
 * Whether the dse process that made the label still runs.
 *
 * A label from another process id namespace (a container that shares this machine's cgroups) cannot be judged from here and counts as alive, so that
 * nobody else's run is ever taken for dead. So does a text that is no label.
 */
export function isRunAlive(label: string): boolean {
  const match = LABEL.exec(label);
  if (match === null) return true;
  const [, scope, pid, startedAt] = match;
  if (scope !== pidScope()) return true;
  const current = readStartTime(Number(pid));
  if (current === undefined) return false;
  return Math.abs(current - Number(startedAt)) <= (process.platform === 'linux' ? 0 : START_TOLERANCE_S);
}

/** The run label within a name like `dse-<label>-3`, or undefined. */
export function findRunLabel(text: string): string | undefined {
  return LABEL.exec(text)?.[0];
}

function pidScope(): string {
  const scope =
    process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid')
      : process.platform;
  return createHash('sha256').update(scope).digest('hex').slice(0, 8);
}

/** When a process started: clock ticks since boot on Linux, seconds since the epoch elsewhere; undefined where it is gone. */
function readStartTime(pid: number): number | undefined {
  if (process.platform === 'linux') {
    const stat = readProcessStat(pid);
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.startTicks;
  }
  try {
    const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, stdio: 'pipe' } as const;
    const startedAtMs = Date.parse(execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], options).trim());
    return Number.isNaN(startedAtMs) ? undefined : startedAtMs / 1000;
  } catch {
    return undefined;
  }
}
