import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { monotonicNs } from '../src/units.ts';

const ATTEMPTS = 3;
/** Of wake-ups that this process asked for, this share may be over 1 ms later than timers are anyway. */
const MOST_LATE_WAKEUPS = 0.005;
const TICK_MS = 4;
const LATE_AFTER_MS = TICK_MS + 2;

/**
 * Checks something about time under real clocks: three attempts, each with its reason printed where it fails.
 *
 * A process that is not given a CPU proves nothing, so a probe that shares nothing with the code under test looks on; where it found the machine
 * busy in every attempt that failed, the test is skipped and says so. An attempt that fails on a quiet machine fails the test.
 */
export async function onQuietMachine(context: Pick<TestContext, 'skip'>, attempt: () => Promise<void>): Promise<void> {
  const failures: { readonly error: unknown; readonly lateShare: number }[] = [];
  while (failures.length < ATTEMPTS) {
    const probe = startProbe();
    try {
      await attempt();
      return;
    } catch (error) {
      const lateShare = probe.lateShare();
      failures.push({ error, lateShare });
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`attempt ${failures.length} (${percent(lateShare)} late wake-ups): ${reason}\n`);
    } finally {
      await probe.stop();
    }
  }
  const quiet = failures.find(({ lateShare }) => lateShare <= MOST_LATE_WAKEUPS);
  if (quiet !== undefined) throw quiet.error;
  context.skip(`the machine was busy: ${failures.map(({ lateShare }) => percent(lateShare)).join(', ')} late wake-ups`);
}

function startProbe() {
  let wakeUps = 0;
  let late = 0;
  let isOn = true;
  const ticking = (async () => {
    while (isOn) {
      const beforeNs = monotonicNs();
      await sleep(TICK_MS);
      wakeUps++;
      if (monotonicNs() - beforeNs > LATE_AFTER_MS * 1e6) late++;
    }
  })();
  return {
    lateShare: () => (wakeUps === 0 ? 1 : late / wakeUps),
    stop: async () => {
      isOn = false;
      await ticking;
    },
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
