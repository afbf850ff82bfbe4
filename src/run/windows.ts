import type { MeasureSpec } from '../spec/types.ts';
import { monotonicNs, NS_PER_MS, NS_PER_S } from '../units.ts';
import type { RunningConfiguration } from './configuration.ts';
import type { RunContext } from './context.ts';
import { type Counters, readCounters } from './counters.ts';
import { sleepUnless } from './waiting.ts';

/** The windows of a trial: every edge's counters, so that window i lies between edges i and i + 1, without a gap. */
export interface MeasuredWindows {
  readonly edges: readonly Counters[];
  readonly stopReason: StopReason;
}

/** Why measuring ended: the windows asked for have passed, every interval asked for is narrow enough, or the cap. */
export type StopReason = 'windows' | 'precision' | 'max';

/** From the first edge to the last. */
export function spanOf(edges: readonly Counters[]): { readonly startNs: number; readonly endNs: number } {
  return { startNs: (edges[0] as Counters).atNs, endNs: (edges.at(-1) as Counters).atNs };
}

/**
 * Lets measurement windows pass under a load that is already on, reading every counter at their edges.
 *
 * @param isPrecise - asked after each window from the least number on, where precision is asked for; undefined where the load has no steady state to be precise about
 */
export async function passWindows(
  configuration: RunningConfiguration,
  { spec, load, meter }: RunContext,
  isPrecise: ((edges: readonly Counters[]) => boolean) | undefined,
): Promise<MeasuredWindows> {
  const { windowS } = spec.measure;
  const readEdge = () => readCounters(configuration, load, meter);
  const edges: Counters[] = [await readEdge()];
  const startNs = (edges[0] as Counters).atNs;
  for (;;) {
    await sleepUnless(configuration.signal, (startNs + edges.length * windowS * NS_PER_S - monotonicNs()) / NS_PER_MS);
    edges.push(await readEdge());
    const stopReason = reasonToStop(edges.length - 1, spec.measure, isPrecise && (() => isPrecise(edges)));
    if (stopReason !== undefined) return { edges, stopReason };
  }
}

function reasonToStop(
  passed: number,
  { windows, windowS, maxS, precision }: MeasureSpec,
  isPrecise: (() => boolean) | undefined,
): StopReason | undefined {
  if (passed < windows) return undefined;
  if (isPrecise === undefined || Object.keys(precision).length === 0) return 'windows';
  if (isPrecise()) return 'precision';
  return (passed + 1) * windowS > maxS ? 'max' : undefined;
}
