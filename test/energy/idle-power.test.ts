import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type EnergyMeter, measureIdlePower } from '../../src/energy/index.ts';
import { MeterError } from '../../src/errors.ts';

/** A meter whose readings are `everyS` apart by its own clock and show the given powers, one a stretch. */
function meterShowing(powersW: readonly number[], everyS: number, faults: EnergyMeter['faults'] = []): EnergyMeter {
  let reading = 0;
  let totalJ = 0;
  return {
    source: 'rapl',
    isEstimate: false,
    description: 'powers of a test',
    faults,
    async read() {
      if (reading > 0) totalJ += (powersW[(reading - 1) % powersW.length] ?? 0) * everyS;
      return { atNs: reading++ * everyS * 1e9, zonesJ: { all: totalJ } };
    },
    async [Symbol.asyncDispose]() {},
  };
}

describe('idle power', () => {
  test('is the mean over the time, with the t interval of its stretches', async () => {
    const idle = await measureIdlePower(meterShowing([9, 10, 11, 10], 0.2), { seconds: 0.8, confidence: 0.95 });
    expect(idle.powerW).toBeCloseTo(10, 9);
    expect(idle.seconds).toBeCloseTo(0.8, 9);
    // s = sqrt(2/3), n = 4, t(0.975; 3) = 3.182446 (Fisher and Yates, table III): half-width 1.299228.
    expect(idle.hi).toBeCloseTo(11.299228, 5);
    expect(idle.lo).toBeCloseTo(8.700772, 5);
  });

  test('has an interval of the confidence that was asked for', async () => {
    const idle = await measureIdlePower(meterShowing([9, 10, 11, 10], 0.2), { seconds: 0.8, confidence: 0.8 });
    // t(0.9; 3) = 1.637744 (Fisher and Yates, table III): half-width 0.668606.
    expect(idle.hi).toBeCloseTo(10.668606, 5);
  });

  test('is never below zero at its lower end', async () => {
    expect((await measureIdlePower(meterShowing([1, 9], 0.2), { seconds: 0.4, confidence: 0.95 })).lo).toBe(0);
  });

  test('is not known where the meter lost count meanwhile', async () => {
    const faults = [{ fromNs: 1e8, atNs: 3e8, reason: 'package-0 stands still at 5 uJ' }];
    const measuring = measureIdlePower(meterShowing([5], 0.2, faults), { seconds: 0.4, confidence: 0.95 });
    await expect(measuring).rejects.toThrow(MeterError);
    await expect(measuring).rejects.toThrow(
      'idle power is not known, because the meter lost count while it was measured: package-0 stands still at 5 uJ',
    );
  });

  test('stops as soon as it is told to', async () => {
    const stopping = new AbortController();
    const measuring = measureIdlePower(meterShowing([5], 1), {
      seconds: 60,
      confidence: 0.95,
      signal: stopping.signal,
    });
    await sleep(20);
    stopping.abort();
    await expect(measuring).rejects.toThrow('aborted');
  });

  test('needs some time', async () => {
    await expect(measureIdlePower(meterShowing([5], 1), { seconds: 0, confidence: 0.95 })).rejects.toThrow(
      'idle power cannot be measured in 0 s',
    );
  });
});
