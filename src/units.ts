/** Conversions between the units that appear in names: `Ns`, `Us`, `Ms`, `S`, `Uj`, `J`, `Mb`. */

export const NS_PER_US = 1e3;
export const NS_PER_MS = 1e6;
export const NS_PER_S = 1e9;
export const US_PER_MS = 1e3;
export const MS_PER_S = 1e3;
export const UJ_PER_J = 1e6;
/** A megabyte is 10^6 bytes wherever a column ends in `_mb`. */
export const BYTES_PER_MB = 1e6;

/**
 * The machine's monotonic clock, nanoseconds.
 *
 * On Linux (CLOCK_MONOTONIC) and macOS every process of the machine reads the same clock, so a request sent by one process,
 * a counter read by a second and a window closed by a third can be laid side by side. A double keeps it exact to 1 us for 285 years.
 */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
