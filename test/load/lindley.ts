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
