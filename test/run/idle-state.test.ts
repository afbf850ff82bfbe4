import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { measureIdle } from '../../src/run/idle-state.ts';
import type { JournalRecord } from '../../src/store/types.ts';
import { monotonicNs, NS_PER_S } from '../../src/units.ts';

type MeasuringContext = Parameters<typeof measureIdle>[1];

/** A machine whose meter shows 20 W, and a store that keeps what it is given. */
function measuringContext(records: JournalRecord[]): MeasuringContext {
  const meter = {
    source: 'command',
    description: 'a meter that shows 20 W',
    isEstimate: false,
    read: async () => {
      const atNs = monotonicNs();
      return { atNs, zonesJ: { all: (20 * atNs) / NS_PER_S } };
    },
    faults: [],
  };
  return {
    meter,
    host: 'here',
    spec: { energy: { idleS: 0.4 }, measure: { idleGateS: 0, confidence: 0.95 } },
    load: { readUsage: async () => ({ cpuTimeUs: 0 }) },
    store: { append: async (record: JournalRecord) => void records.push(record) },
    emit: () => undefined,
    signal: new AbortController().signal,
  } as unknown as MeasuringContext;
}

test('idle power that was measured while another process spun is not known, and the journal says why', async () => {
  const spinner = spawn(process.execPath, ['-e', 'console.log(); for(;;);'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await new Promise((resolve) => spinner.stdout.once('data', resolve));
    const records: JournalRecord[] = [];
    const idle = await measureIdle(2, measuringContext(records));
    expect(idle.power).toBeUndefined();
    expect(idle.unknownBecause).toMatch(
      /^idle power before block 2 is not known: (other processes used|the hypervisor took) .* while it was measured$/,
    );
    // Measured anew, in the hope of a quieter moment, and every attempt kept.
    expect(records).toHaveLength(3);
    expect(records).toEqual(
      Array(3).fill(expect.objectContaining({ kind: 'idle-power', disturbedBecause: expect.stringMatching(/CPUs/) })),
    );
  } finally {
    spinner.kill('SIGKILL');
  }
});
