/** What the exit code of every command means. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Done, but trials failed or a gate was missed. */
  failed: 1,
  /** Could not run: bad input, a missing permission, no space. */
  couldNotRun: 2,
  /** Ended by the user. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
