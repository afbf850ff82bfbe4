import type { RequestLog } from '../load/index.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import type { RunContext } from './context.ts';

const EVERY_MS = 500;

/** Tells twice a second how a trial is doing, until disposed. */
export function reportProgress(trialId: string, log: RequestLog, { emit }: Pick<RunContext, 'emit'>): Disposable {
  const startNs = monotonicNs();
  let previous = { atNs: startNs, requests: 0 };
  const timer = setInterval(() => {
    const now = { atNs: monotonicNs(), requests: log.count };
    emit({
      type: 'trial-progress',
      trialId,
      elapsedS: (now.atNs - startNs) / NS_PER_S,
      requests: now.requests,
      achievedRps: (now.requests - previous.requests) / ((now.atNs - previous.atNs) / NS_PER_S),
      latencyP50Ms: log.recentMedianLatencyMs(),
    });
    previous = now;
  }, EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
