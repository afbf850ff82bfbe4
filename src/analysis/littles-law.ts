import { NS_PER_S } from '../units.ts';

/** Both sides of Little's law over a window. */
export interface LittlesLaw {
  /** Time average of the requests in the system, L. */
  readonly meanInSystem: number;
  /** Requests completed per second, lambda. */
  readonly rateRps: number;
  /** Mean latency of those requests, seconds, W. */
  readonly meanLatencyS: number;
  /** lambda W / L - 1; 0 where nothing was in the system at all. */
  readonly relativeDifference: number;
}

/**
 * Checks L = lambda W: the mean number of requests in the system against the rate at which they complete times their mean latency.
 *
 * The left side counts every request that was in the system at some time of the window, the right side those that ended in it, so the two agree only where what
 * comes in also goes out: a growing backlog, lost records or clocks that disagree pull them apart. Requests that straddle an edge leave a difference of about
 * W over the length of the window.
 * @param intendedNs - when each request was due; all requests, failed ones with the time they were given up
 * @param doneNs - when it ended
 * @throws RangeError if the window is empty or the columns differ in length
 * Source: Little (1961), "A proof for the queuing formula L = lambda W", Operations Research 9(3).
 */
export function checkLittlesLaw(
  { intendedNs, doneNs }: { readonly intendedNs: Float64Array; readonly doneNs: Float64Array },
  windowStartNs: number,
  windowEndNs: number,
): LittlesLaw {
  if (!(windowEndNs > windowStartNs)) throw new RangeError(`a window from ${windowStartNs} to ${windowEndNs} is empty`);
  if (intendedNs.length !== doneNs.length)
    throw new RangeError(`${intendedNs.length} starts against ${doneNs.length} ends`);
  let presentNs = 0;
  let completed = 0;
  let latencyNs = 0;
  for (let request = 0; request < doneNs.length; request++) {
    const start = intendedNs[request] as number;
    const end = doneNs[request] as number;
    presentNs += Math.max(0, Math.min(end, windowEndNs) - Math.max(start, windowStartNs));
    if (end < windowStartNs || end >= windowEndNs) continue;
    completed++;
    latencyNs += end - start;
  }
  const lengthNs = windowEndNs - windowStartNs;
  const meanInSystem = presentNs / lengthNs;
  const meanLatencyNs = completed === 0 ? 0 : latencyNs / completed;
  return {
    meanInSystem,
    rateRps: completed / (lengthNs / NS_PER_S),
    meanLatencyS: meanLatencyNs / NS_PER_S,
    relativeDifference: meanInSystem === 0 ? 0 : latencyNs / lengthNs / meanInSystem - 1,
  };
}
