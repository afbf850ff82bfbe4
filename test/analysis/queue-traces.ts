import type { Rng } from '../../src/rng.ts';

/** Service times of unit mean: exponential (M/M/1) or fixed (M/D/1). */
export type Service = 'exponential' | 'fixed';

/**
 * Latencies (wait plus service) of successive requests at a first-come first-served server under Poisson arrivals, in units of the mean service time.
 *
 * Steady from the first: the queue is run for 20 relaxation times before it.
 * Source: Lindley (1952), "The theory of queues with a single server": W' = max(0, W + S - A).
 */
export function simulateQueue(service: Service, utilization: number, count: number, rng: Rng): Float64Array {
  const warmUp = Math.ceil((20 * (1 + utilization)) / (1 - utilization) ** 2);
  const latencies = new Float64Array(count);
  let wait = 0;
  for (let request = -warmUp; request < count; request++) {
    const latency = wait + (service === 'fixed' ? 1 : rng.exponential(1));
    if (request >= 0) latencies[request] = latency;
    wait = Math.max(0, latency - rng.exponential(utilization));
  }
  return latencies;
}
