import type { Limits } from './types.ts';

/** Limits that a group holds; pinning is the process's own affair (see `native-launcher.ts`). */
export type GroupLimits = Pick<Limits, 'cpus' | 'memoryBytes'>;

/** What a way of making groups can do here: true, or why not and what would open it. */
export interface GroupSupport {
  readonly cpus: Ability;
  readonly memory: Ability;
  /** Whether CPU time is counted by the kernel for the whole group, to the microsecond or better. */
  readonly usage: Ability;
}

export type Ability =
  | { readonly isAvailable: true }
  | { readonly isAvailable: false; readonly why: string; readonly fix: string };

/**
 * One way to make groups of processes with limits, e.g. cgroup v1.
 *
 * `probe` finds out by making and removing a group what this user may do here. `make` creates a group with the limits already set; it may be called many times,
 * overlapping. Names are `dse-<run label>-<n>`, so that `dse clean` knows them.
 */
export interface GroupMaker {
  readonly mechanism: string;
  /** Whether a group is made at once, without asking a service for it; where no limit is asked, only such ways are used. */
  readonly isImmediate: boolean;
  /** @param name - of the group that is made for the probe */
  probe(name: string): Promise<GroupSupport>;
  make(name: string, limits: GroupLimits): Promise<ServerGroup>;
}

/** A group made for one server. The process is put inside before it runs anything of its own, so nothing is spent outside. */
export interface ServerGroup {
  /** The command line that enters the group and then becomes `command`, keeping the process id. */
  wrap(command: readonly string[]): readonly string[];
  /** The group's counters, once the process of this id has entered; undefined before, or where they cannot be found. */
  open(pid: number): GroupFiles | undefined;
  /** Removes the group, which must be empty of processes by then. Fine to call twice. */
  remove(): Promise<void>;
}

/** The counters and limits of a group as its files hold them now. A value is undefined where the kernel does not offer it. */
export interface GroupFiles {
  readLimits(): GroupLimits;
  readCpuTimeUs(): number | undefined;
  /** Length of the quota periods so far in which the group ran out of its quota. */
  readThrottledUs(): number | undefined;
  /** Processes that the kernel killed because the group was out of memory. */
  readOomKills(): number | undefined;
  /** Bytes that the group had read from and written to block devices; what came from or stays in the page cache is not in it. */
  readBlockBytes(): BlockBytes;
  readPids(): readonly number[];
}

export interface BlockBytes {
  readonly blockReadBytes: number | undefined;
  readonly blockWriteBytes: number | undefined;
}

/** Period over which a CPU quota is counted, microseconds: the kernel's default. */
export const QUOTA_PERIOD_US = 100_000;
/** Smallest quota per period the kernel takes. Source: Linux kernel documentation, scheduler/sched-bwc.rst. */
export const MIN_QUOTA_US = 1_000;

/** Quota per period for a number of CPUs, whole microseconds. */
export function quotaUs(cpus: number): number {
  return Math.round(cpus * QUOTA_PERIOD_US);
}
