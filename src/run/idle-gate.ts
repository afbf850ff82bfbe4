import { availableParallelism } from 'node:os';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { othersCpus, readHost } from './host.ts';
import { LIMITS } from './verdict.ts';
import { sleepUnless } from './waiting.ts';

/** How long CPU use is watched for one decision; ticks of 10 ms leave it exact to a few percent of a CPU. */
const SAMPLE_MS = 200;

/**
 * Waits until the machine is quiet: nothing but dse itself uses more CPU than a valid trial allows.
 *
 * @param maxS - longest wait, seconds; the trial then starts all the same and its verdict says if the machine stayed busy
 * @param readOwnCpuTimeUs - CPU time so far of dse and of what it started, microseconds
 * @returns seconds waited
 */
export async function waitForQuietHost(
  maxS: number,
  readOwnCpuTimeUs: () => Promise<number>,
  signal: AbortSignal,
): Promise<number> {
  const startNs = monotonicNs();
  const waitedS = () => (monotonicNs() - startNs) / NS_PER_S;
  while (waitedS() < maxS) {
    const [before, ownBefore] = [await readHost(), await readOwnCpuTimeUs()];
    await sleepUnless(signal, SAMPLE_MS);
    const [after, ownAfter] = [await readHost(), await readOwnCpuTimeUs()];
    if (othersCpus(before, after, ownAfter - ownBefore) <= LIMITS.othersShare * availableParallelism()) break;
  }
  return waitedS();
}
