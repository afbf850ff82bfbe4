import { type LoadDriver, RequestLog, summarizeRequests } from '../load/index.ts';
import { deriveSeed } from '../rng.ts';
import type { Spin } from '../spec/types.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { sleepUnless } from './waiting.ts';

/** What an open loop of one rate came to. */
export interface SloProbe {
  readonly rateRps: number;
  /** Share of the requests that were answered within the objective. */
  readonly withinSlo: number;
}

export interface SloCapacity {
  /** The highest rate probed at which the objective was met; 0 where it was met at none. */
  readonly rateRps: number;
  readonly probes: readonly SloProbe[];
}

/** The objective is met where this share of the requests is answered within its latency. */
export const SLO_SHARE = 0.95;
/** Halvings of the range between no load and capacity: the rate is found to 1/32 of it. */
const HALVINGS = 5;
const FEWEST_REQUESTS = 60;

/**
 * Finds the highest Poisson rate at which 95 % of the requests are answered within a latency, by halving the range below the closed-loop capacity.
 *
 * Every probe lasts `probeS`, or until 60 requests were due, up to `maxProbeS`.
 * Higher rates are taken to be worse, as they are for a queue; noise in a probe near the limit moves the answer by about one halving.
 */
export async function measureSloCapacity(
  load: LoadDriver,
  options: {
    readonly capacityRps: number;
    readonly sloLatencyMs: number;
    readonly timeoutMs: number;
    readonly connections: number;
    readonly spin: Spin | undefined;
    readonly seed: number;
    readonly probeS: number;
    readonly maxProbeS: number;
    readonly signal: AbortSignal;
  },
): Promise<SloCapacity> {
  const probes: SloProbe[] = [];
  let [passing, failing] = [0, options.capacityRps];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const rateRps = (passing + failing) / 2;
    const probe = { rateRps, withinSlo: await measureWithinSlo(load, rateRps, halving, options) };
    probes.push(probe);
    if (probe.withinSlo >= SLO_SHARE) passing = rateRps;
    else failing = rateRps;
  }
  return { rateRps: passing, probes };
}

async function measureWithinSlo(
  load: LoadDriver,
  rateRps: number,
  halving: number,
  options: Parameters<typeof measureSloCapacity>[1],
): Promise<number> {
  const { sloLatencyMs, timeoutMs, connections, spin, seed, signal } = options;
  const seconds = Math.min(options.maxProbeS, Math.max(options.probeS, FEWEST_REQUESTS / rateRps));
  const log = new RequestLog();
  const run = await load.start(
    {
      ...{ kind: 'open', rateRps, arrivals: 'poisson', connections },
      ...(spin === undefined ? {} : { spin }),
      seed: deriveSeed(seed, 'slo', halving),
    },
    log.add,
  );
  try {
    await sleepUnless(signal, seconds * 1e3 - (monotonicNs() - run.startedAtNs) / 1e6);
  } finally {
    await run.stop();
  }
  const endNs = run.startedAtNs + seconds * NS_PER_S;
  const summary = summarizeRequests(log.all(), { startNs: run.startedAtNs, endNs, timeoutMs, sloLatencyMs });
  return summary.withinSloShare ?? 0;
}
