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

/** Quantiles that intervals are made for. */
export const SHARES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
export type Truth = Readonly<Record<'mean' | keyof typeof SHARES, number>>;

/** The true mean and quantiles of such latencies. */
export function queueTruth(service: Service, utilization: number): Truth {
  const quantile =
    service === 'exponential'
      ? (share: number) => -Math.log(1 - share) / (1 - utilization)
      : (share: number) => 1 + fixedServiceWait(share, utilization);
  return {
    mean: service === 'exponential' ? 1 / (1 - utilization) : 1 + utilization / (2 * (1 - utilization)),
    p50: quantile(SHARES.p50),
    p90: quantile(SHARES.p90),
    p95: quantile(SHARES.p95),
    p99: quantile(SHARES.p99),
    p999: quantile(SHARES.p999),
  };
}

/** Beyond so many service times the series loses digits, and the tail is exponential to more of them than it has left. */
const SERIES_END = 12;

/**
 * Quantile of the wait in an M/D/1 queue, in service times.
 *
 * Source: Erlang (1909) for the distribution, P(W <= t) = (1 - rho) sum over k <= t of (rho (k - t))^k / k! exp(-rho (k - t)); its tail decays at the
 * rate z at which rho (exp(z) - 1) = z (Cramer-Lundberg).
 */
function fixedServiceWait(share: number, utilization: number): number {
  if (share <= 1 - utilization) return 0;
  const decay = bisect((z) => utilization * Math.expm1(z) - z, 1e-6, 50);
  const atEnd = 1 - erlangSeries(SERIES_END, utilization);
  const beyond = (t: number) =>
    t <= SERIES_END ? 1 - erlangSeries(t, utilization) : atEnd * Math.exp(-decay * (t - SERIES_END));
  return bisect((t) => 1 - share - beyond(t), 0, 1000);
}

function erlangSeries(t: number, utilization: number): number {
  let sum = 0;
  let factorial = 1;
  for (let k = 0; k <= t; k++) {
    if (k > 0) factorial *= k;
    const x = utilization * (k - t);
    sum += (x ** k / factorial) * Math.exp(-x);
  }
  return (1 - utilization) * sum;
}

/** Where an increasing function crosses zero. */
function bisect(f: (x: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 100; step++) {
    const middle = (from + to) / 2;
    if (f(middle) < 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
