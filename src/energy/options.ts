/** What a caller may set beyond the spec; the defaults are right for every real machine. */
export interface MeterOptions {
  /**
   * The most that one zone (a socket, its memory) could ever draw, watts; default 1000. It tells a wrap from a counter
   * that went backwards, and how often a counter has to be read.
   */
  readonly maxPowerW?: number;
  /** Path or name of the `nvidia-smi` program. */
  readonly nvidiaSmi?: string;
  /** The kernel's CPU times that the estimate works from; default /proc/stat. */
  readonly procStat?: string;
}

/** Twice the largest thermal design power of a socket to date (500 W). */
export const DEFAULT_MAX_POWER_W = 1000;
