import { findExecutable } from './find-executable.ts';
import type { Ability } from './group.ts';

/** For every limit on a platform that has none of them. */
export const NOT_LINUX: Ability & { isAvailable: false } = {
  isAvailable: false,
  why: `${process.platform} has no such limit for a process`,
  fix: 'use --engine docker or --engine podman, which run a Linux of their own, or leave this limit out of the spec',
};

/** Whether a process can be pinned to CPUs here. macOS has no such call. */
export function explainPinning(): Ability {
  if (process.platform !== 'linux') return NOT_LINUX;
  if (findExecutable('taskset') !== undefined) return { isAvailable: true };
  return {
    isAvailable: false,
    why: 'the program "taskset" is not installed',
    fix: 'install util-linux, e.g. apt-get install util-linux',
  };
}
