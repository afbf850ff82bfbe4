import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ: the unit of times in /proc/PID/stat. 100 on every architecture Node runs on. Source: time(7). */
const TICKS_PER_S = 100;

/** What is used of /proc/PID/stat. */
export interface ProcessStat {
  /** One letter: R, S, D, Z (zombie), X (dead) ... */
  readonly state: string;
  readonly parentPid: number;
  /** User and system time of the process and of its children that were waited for, microseconds; comes in steps of 10 ms. */
  readonly cpuTimeUs: number;
  /** When the process started, clock ticks since boot. Never changes, so it tells apart two processes of the same id. */
  readonly startTicks: number;
}

/**
 * The process's line in /proc, or undefined where it is gone.
 *
 * Source: proc_pid_stat(5). The command name may hold spaces and parentheses, so fields are counted from the last ")".
 */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const ticks = field(14) + field(15) + field(16) + field(17);
  return { state: fields[0] ?? '', parentPid: field(4), cpuTimeUs: (ticks * 1e6) / TICKS_PER_S, startTicks: field(22) };
}

/** The process and its living descendants. Empty where the process is gone. */
export function readProcessTree(pid: number): number[] {
  return [pid, ...threadsOf(pid).flatMap((thread) => childrenOf(pid, thread).flatMap(readProcessTree))].filter(
    (one, index) => index > 0 || readProcessStat(one) !== undefined,
  );
}

function childrenOf(pid: number, thread: number): number[] {
  const text = readIfThere(`/proc/${pid}/task/${thread}/children`)?.trim();
  return text === undefined || text === '' ? [] : text.split(' ').map(Number);
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** CPU lists (kernel format) that the threads of a process may run on, one entry a thread; empty where the process is gone. */
export function readThreadCpuLists(pid: number): string[] {
  return threadsOf(pid)
    .map((thread) => readStatusField(`/proc/${pid}/task/${thread}/status`, 'Cpus_allowed_list'))
    .filter((list) => list !== undefined);
}

/** CPU list (kernel format) that this process may run on; undefined where there is no /proc. */
export function readOwnCpuList(): string | undefined {
  return readStatusField('/proc/self/status', 'Cpus_allowed_list');
}

/** Highest resident set of the process so far, bytes; undefined where it is gone or a zombie. Source: proc_pid_status(5), VmHWM. */
export function readPeakResidentBytes(pid: number): number | undefined {
  const field = readStatusField(`/proc/${pid}/status`, 'VmHWM');
  return field === undefined ? undefined : Number.parseInt(field, 10) * 1024;
}

/** Makes the peak of `readPeakResidentBytes` count from now. False where the kernel does not let us. Source: proc_pid_clear_refs(5). */
export function resetPeakResident(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

/** The value of one environment variable of a process as it was started; undefined where unset, or where we may not look. */
export function readEnvironmentVariable(pid: number, name: string): string | undefined {
  return readIfThere(`/proc/${pid}/environ`)
    ?.split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function readStatusField(file: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readIfThere(file) ?? '')?.[1];
}

/** A file's text; undefined where it does not exist, may not be read, or went away with its process or cgroup while it was read. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
