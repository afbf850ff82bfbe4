import { findSteadyStart } from '../analysis/index.ts';
import { latenciesMsInOrder, type RequestLog } from '../load/index.ts';
import type { MeasureSpec } from '../spec/types.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { sleepUnless } from './waiting.ts';

/** How the warm-up went. */
export interface WarmUp {
  readonly seconds: number;
  /** Why latency had not settled by the end of the longest warm-up; undefined where it had, or where the spec gives the length itself. */
  readonly unsteadyBecause: string | undefined;
}

const CHECK_EVERY_MS = 250;
/** Below this the first requests' own noise decides. */
const SHORTEST_S = 1;
/** MSER-5 wants batches of five; a slow server, which a calibration has warmed already, is judged request by request until there are this many. */
const REQUESTS_FOR_BATCHES = 100;
const FEWEST_REQUESTS = 20;

/** Lets the load run until latency has settled, or for the time the spec gives. */
export async function warmUp(log: RequestLog, measure: MeasureSpec, signal: AbortSignal): Promise<WarmUp> {
  const startNs = monotonicNs();
  const elapsedS = () => (monotonicNs() - startNs) / NS_PER_S;
  if (measure.warmupS !== 'auto') {
    await sleepUnless(signal, measure.warmupS * 1e3);
    return { seconds: elapsedS(), unsteadyBecause: undefined };
  }
  await sleepUnless(signal, Math.min(SHORTEST_S, measure.maxWarmupS) * 1e3);
  for (;;) {
    const latenciesMs = latenciesMsInOrder(log.all());
    const batchSize = latenciesMs.length < REQUESTS_FOR_BATCHES ? 1 : 5;
    const steady = findSteadyStart(latenciesMs, { batchSize, minimum: FEWEST_REQUESTS });
    if (steady.state === 'steady') return { seconds: elapsedS(), unsteadyBecause: undefined };
    if (elapsedS() >= measure.maxWarmupS)
      return { seconds: elapsedS(), unsteadyBecause: `not steady by the end of the longest warm-up: ${steady.reason}` };
    await sleepUnless(signal, CHECK_EVERY_MS);
  }
}
