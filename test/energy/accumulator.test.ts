import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnergyAccumulator, gainBetween, samplingIntervalMs } from '../../src/energy/accumulator.ts';

const MAX_POWER_W = 1000;
const LAG_S = 0.05;

/** A stretch between two samples, as a share of the longest gap that cannot hide a wrap and a share of the greatest power. */
const stretch = fc.record({
  gapShare: fc.double({ min: 0, max: 1, noNaN: true }),
  powerShare: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('an energy counter that wraps', () => {
  test('any true energy, sampled often enough through any range, comes back as the true joules', () => {
    const rangesUj = fc.integer({ min: 100_000_000, max: 262_143_328_850 });
    fc.assert(
      fc.property(rangesUj, fc.nat(), fc.array(stretch, { minLength: 1, maxLength: 200 }), (rangeUj, start, trace) => {
        const limits = { rangeUj, maxPowerW: MAX_POWER_W, lagS: LAG_S };
        const longestGapS = rangeUj / 1e6 / MAX_POWER_W - LAG_S - 1e-3;
        const accumulator = new EnergyAccumulator(limits);
        let atNs = 0;
        let trueUj = start % rangeUj;
        const startUj = trueUj;
        accumulator.add(atNs, trueUj);
        for (const { gapShare, powerShare } of trace) {
          const gapNs = Math.floor(gapShare * longestGapS * 1e9);
          atNs += gapNs;
          trueUj += Math.floor((powerShare * MAX_POWER_W * gapNs) / 1e3);
          expect(accumulator.add(atNs, trueUj % rangeUj)).toBeUndefined();
        }
        expect(accumulator.totalJ).toBe((trueUj - startUj) / 1e6);
      }),
    );
  });

  test('whatever it shows, its joules never fall, and a doubtful step adds nothing', () => {
    const reading = fc.record({ gapNs: fc.nat({ max: 5e9 }), counterUj: fc.nat({ max: 2e9 }) });
    const range = fc.option(fc.integer({ min: 1_000_000, max: 1_000_000_000 }), { nil: undefined });
    fc.assert(
      fc.property(range, fc.array(reading), (rangeUj, readings) => {
        const accumulator = new EnergyAccumulator({ rangeUj, maxPowerW: MAX_POWER_W, lagS: LAG_S });
        let atNs = 0;
        for (const { gapNs, counterUj } of readings) {
          const beforeJ = accumulator.totalJ;
          atNs += gapNs;
          const doubt = accumulator.add(atNs, counterUj);
          expect(accumulator.totalJ).toBeGreaterThanOrEqual(beforeJ);
          if (doubt !== undefined) expect(accumulator.totalJ).toBe(beforeJ);
        }
      }),
    );
  });
});

describe('the difference between two readings', () => {
  const limits = { rangeUj: 300e6, maxPowerW: 1000, lagS: 0.05 };

  test('adds the range once where the counter shows less than before', () => {
    expect(gainBetween(295e6, 2e6, 0.1, limits)).toEqual({ ok: true, gainedUj: 7e6 });
  });

  test('is refused where the counter went backwards further than a wrap could explain', () => {
    expect(gainBetween(200e6, 190e6, 0.1, limits)).toEqual({
      ok: false,
      reason: 'went backwards from 200000000 to 190000000 uJ in 0.100 s; as a wrap that would be more than 1000 W',
    });
  });

  test('is refused where the range is not known and the counter shows less than before', () => {
    expect(gainBetween(200e6, 190e6, 0.1, { ...limits, rangeUj: undefined })).toEqual({
      ok: false,
      reason: 'fell from 200000000 to 190000000 uJ, and its range is not known',
    });
  });

  test('is refused where the gap was long enough for two wraps', () => {
    expect(gainBetween(0, 10e6, 0.4, limits)).toEqual({
      ok: false,
      reason: 'was not read for 0.400 s, in which its 300 J may have wrapped more than once',
    });
  });

  test('is refused where it is more than anything can draw, or above the range', () => {
    expect(gainBetween(0, 250e6, 0.1, limits)).toMatchObject({ ok: false, reason: /^jumped from 0 to 250000000 uJ/ });
    expect(gainBetween(0, 301e6, 0.1, limits)).toMatchObject({ ok: false, reason: /above its range of 300000000 uJ/ });
  });
});

describe('how often a counter is read', () => {
  test.each([
    { ranges: [262_143e6], intervalMs: 1000 },
    { ranges: [300e6, 262_143e6], intervalMs: 75 },
    { ranges: [1e6], intervalMs: 50 },
    { ranges: [undefined, 262_143e6], intervalMs: 100 },
  ])('ranges $ranges uJ: every $intervalMs ms', ({ ranges, intervalMs }) => {
    expect(samplingIntervalMs(ranges, 1000)).toBe(intervalMs);
  });
});
